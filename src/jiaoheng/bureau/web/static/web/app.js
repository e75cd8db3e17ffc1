// Small common behaviour: menus close, "choose all" counts, irrevocable buttons ask, files say what was chosen.
(function () {
  "use strict";

  document.addEventListener("click", function (event) {
    document.querySelectorAll("details.menu[open]").forEach(function (menu) {
      if (!menu.contains(event.target)) menu.open = false;
    });
  });
  document.addEventListener("submit", function (event) { // a download leaves the page as it is: its menu closes
    var menu = event.target.closest("details.menu[open]");
    if (menu) window.setTimeout(function () { menu.open = false; }, 0);
  });
  document.addEventListener("keydown", function (event) {
    if (event.key !== "Escape") return;
    document.querySelectorAll("details.menu[open]").forEach(function (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    });
  });

  // <form data-counts> with checkboxes name=chosen: elements [data-chosen] show how many, [data-needs-chosen] wait for one
  function count(form, touched) {
    var chosen = form.querySelectorAll("input[name=chosen]:checked").length;
    form.toggleAttribute("data-any", chosen > 0);
    form.querySelectorAll("[data-chosen]").forEach(function (place) { place.textContent = String(chosen); });
    form.querySelectorAll("[data-needs-chosen]").forEach(function (button) { button.disabled = chosen === 0; });
    if (!form.id) return; // a bar outside the form that belongs to it
    document.querySelectorAll('[data-chosen-of="' + form.id + '"]').forEach(function (place) { place.textContent = String(chosen); });
    if (touched) {
      document.querySelectorAll('[data-first-of="' + form.id + '"]').forEach(function (words) { words.hidden = true; });
      document.querySelectorAll('[data-then-of="' + form.id + '"]').forEach(function (words) { words.hidden = false; });
    }
    document.querySelectorAll('[data-needs-chosen][form="' + form.id + '"]').forEach(function (button) { button.disabled = chosen === 0; });
  }
  document.addEventListener("change", function (event) {
    var box = event.target;
    var form = box.form && box.form.matches("[data-counts]") ? box.form : null;
    if (!form) return;
    if (box.matches("[data-all]")) {
      var within = box.closest("tbody, table") || form;
      within.querySelectorAll("input[name=chosen]").forEach(function (one) { one.checked = box.checked; });
    }
    count(form, true);
  });
  document.querySelectorAll("form[data-counts]").forEach(function (form) { count(form, false); });

  // a filter that was left empty has no business in the address
  document.addEventListener("formdata", function (event) {
    if (event.target.method !== "get") return;
    Array.from(event.formData.entries()).forEach(function (pair) {
      if (pair[1] === "" && pair[0] !== "q") event.formData.delete(pair[0]);
    });
  });

  // only what cannot be undone asks, and says what will happen
  document.addEventListener("submit", function (event) {
    var button = event.submitter;
    var question = (button && button.dataset.ask) || event.target.dataset.ask;
    if (question && !window.confirm(question)) { event.preventDefault(); return; }
    if (event.target.method === "post" && !event.target.hasAttribute("data-again")) {
      if (event.target.dataset.sent) { event.preventDefault(); return; } // a double click is one click
      event.target.dataset.sent = "1";
      window.setTimeout(function () { delete event.target.dataset.sent; }, 4000);
    }
  });
  window.addEventListener("pageshow", function () {
    document.querySelectorAll("form[data-sent]").forEach(function (form) { delete form.dataset.sent; });
  });

  document.addEventListener("change", function (event) {
    if (!event.target.matches("input[type=file][data-says]")) return;
    var place = document.getElementById(event.target.dataset.says);
    var names = Array.from(event.target.files).map(function (file) {
      return file.name + "（" + (file.size / 1048576).toFixed(1) + " MB）";
    });
    if (place) place.textContent = names.join("、");
  });
  document.addEventListener("change", function (event) {
    if (event.target.matches("[data-submits]") && event.target.form) event.target.form.requestSubmit();
  });

  var summary = document.getElementById("errors");
  if (summary) summary.focus();
  document.querySelectorAll("[data-print]").forEach(function (button) {
    button.addEventListener("click", function () { window.print(); });
  });
})();
// the chosen columns of a list travel as one parameter
(function () {
  "use strict";
  document.addEventListener("change", function (event) {
    if (!event.target.matches("[data-column]")) return;
    var form = event.target.form;
    form.querySelector("[data-columns]").value = Array.from(form.querySelectorAll("[data-column]:checked"))
      .map(function (one) { return one.value; }).join(",");
  });
})();
