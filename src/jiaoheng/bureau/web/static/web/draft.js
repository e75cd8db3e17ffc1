// What was typed is never gone. A form <form data-draft="KEY" data-draft-url="…"> is kept in this browser at every
// change, under the account's own name, and sent to the server as a draft soon after. The browser's copy is dropped
// only when the server says that it has the content (data-draft-done on the next page, or its answer to the autosave).
(function () {
  "use strict";
  var account = document.body.dataset.account || "";
  var PREFIX = "jiaoheng:draft:";

  function name(key) { return PREFIX + account + ":" + key; }
  function read(key) {
    try { return JSON.parse(localStorage.getItem(name(key)) || "null"); } catch (error) { return null; }
  }
  function drop(key) { localStorage.removeItem(name(key)); }

  document.querySelectorAll("[data-draft-done]").forEach(function (mark) { drop(mark.dataset.draftDone); });

  // another person at this browser must not find the first one's text
  Object.keys(localStorage).forEach(function (one) {
    if (account && one.indexOf(PREFIX) === 0 && one.indexOf(PREFIX + account + ":") !== 0) localStorage.removeItem(one);
  });

  var form = document.querySelector("form[data-draft]");
  if (!form) return;
  var key = form.dataset.draft;
  var status = document.getElementById("draft-status");
  var timer = null;
  var sequence = 0;

  function say(text) { if (status) status.textContent = text; }
  function values() {
    var found = {};
    Array.from(form.elements).forEach(function (element) {
      if (!element.name || element.type === "file" || element.name === "csrfmiddlewaretoken" || element.name === "resend_key") return;
      if (element.type === "radio" && !element.checked) return;
      if (element.type === "checkbox") {
        if (element.checked) (found[element.name] = found[element.name] || []).push(element.value);
        else found[element.name] = found[element.name] || [];
        return;
      }
      found[element.name] = element.value;
    });
    return found;
  }
  function filled(draft) {
    return Object.keys(draft.values).filter(function (one) {
      return one.indexOf("f-") === 0 && String(draft.values[one]) !== "";
    }).length;
  }
  function fill(draft) {
    Object.keys(draft.values).forEach(function (one) {
      var value = draft.values[one];
      form.querySelectorAll("[name='" + CSS.escape(one) + "']").forEach(function (element) {
        if (element.type === "checkbox") element.checked = Array.isArray(value) && value.indexOf(element.value) >= 0;
        else if (element.type === "radio") element.checked = element.value === value;
        else if (element.type !== "file" && element.type !== "hidden") element.value = value;
      });
    });
  }
  function two(number) { return String(number).padStart(2, "0"); }
  function clock(time) {
    var date = new Date(time);
    return date.getMonth() + 1 + " 月 " + date.getDate() + " 日 " + two(date.getHours()) + ":" + two(date.getMinutes());
  }

  function send() {
    var draft = read(key);
    if (!draft || !form.dataset.draftUrl) return;
    var body = new FormData(form);
    Array.from(form.querySelectorAll("input[type=file]")).forEach(function (one) { body.delete(one.name); });
    body.set("device_at", new Date(draft.at).toISOString());
    fetch(form.dataset.draftUrl, { method: "POST", body: body, credentials: "same-origin", redirect: "manual",
      headers: { "X-Requested-With": "draft" } })
      .then(function (answer) {
        if (answer.status === 204 || answer.status === 200) {
          var now = read(key);
          if (now && now.at === draft.at) { now.onServer = true; localStorage.setItem(name(key), JSON.stringify(now)); }
          say("草稿已存 " + clock(draft.at));
        } else if (answer.type === "opaqueredirect" || answer.status === 401 || answer.status === 403) {
          say("登录已失效，填的内容仅存于本机。重新登录后接着填");
        } else say("仅存于本机 " + clock(draft.at));
      })
      .catch(function () { say("网络不通，仅存于本机 " + clock(draft.at) + "，联网后自动送出"); });
  }
  function keep() {
    sequence += 1;
    localStorage.setItem(name(key), JSON.stringify({ at: Date.now(), values: values(), onServer: false, sequence: sequence }));
    say("仅存于本机 " + clock(Date.now()));
    window.clearTimeout(timer);
    timer = window.setTimeout(send, 1500);
  }
  form.addEventListener("input", keep);
  form.addEventListener("change", keep);
  window.addEventListener("online", send);

  var draft = read(key);
  var offer = document.getElementById("draft-offer");
  if (draft && offer && !form.hasAttribute("data-draft-loaded")) {
    offer.hidden = false;
    offer.querySelector("[data-draft-says]").textContent =
      clock(draft.at) + " 填过 " + filled(draft) + " 项，" + (draft.onServer ? "已存到服务器" : "仅存于本机");
    offer.querySelector("[data-draft-take]").addEventListener("click", function () {
      fill(draft);
      offer.hidden = true;
      send();
    });
    offer.querySelector("[data-draft-leave]").addEventListener("click", function () { drop(key); offer.hidden = true; });
  }
})();
(function () {
  "use strict";
  document.querySelectorAll("[data-carry]").forEach(function (button) {
    button.addEventListener("click", function () {
      var input = document.getElementById(button.dataset.carry);
      input.value = button.dataset.value;
      input.dispatchEvent(new Event("input", { bubbles: true }));
      button.hidden = true;
    });
  });
})();
