// A press on a cell opens the remark's form right there; without this script the link opens it below the table.
(function () {
  "use strict";
  var form = document.getElementById("remark-form");
  if (!form) return;
  var open = null;

  function close() {
    if (open) open.remove();
    open = null;
  }

  function show(link) {
    close();
    var part = form.content.cloneNode(true);
    var box = part.querySelector("form");
    box.elements.cell.value = link.dataset.cell;
    var written = document.querySelector('[name="remark-' + CSS.escape(link.dataset.cell) + '"]');
    if (written) box.elements.text.value = written.value;
    var row = link.closest("tr");
    if (row) {
      var line = document.createElement("tr");
      var cell = document.createElement("td");
      cell.colSpan = row.children.length;
      cell.appendChild(box);
      line.appendChild(cell);
      row.after(line);
      open = line;
    } else {
      link.closest("div").after(box);
      open = box;
    }
    box.elements.text.focus();
    box.querySelector("[data-close]").addEventListener("click", function () {
      close();
      link.focus();
    });
  }

  document.addEventListener("click", function (event) {
    var link = event.target.closest("a[data-cell]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    show(link);
  });
  document.addEventListener("click", function (event) {
    if (!event.target.closest('a[href="#return"]')) return;
    document.querySelector("#return details").open = true;
    document.getElementById("f-return").focus();
  });
  document.addEventListener("keydown", function (event) {
    if (event.key === "Escape") close();
  });
})();
