// A block copied from Excel fills the cells of a table of inputs (table[data-grid]), adding rows where the table may
// grow; nothing is sent before the form is; Ctrl+Z takes the whole block back.
(function () {
  "use strict";
  var history = [];

  function rowsOf(table) { return Array.from(table.tBodies[0].rows); }
  function cellsOf(row) { return Array.from(row.querySelectorAll("input:not([type=hidden]), select, textarea")); }
  function grow(table) {
    var template = document.getElementById(table.dataset.row || "");
    if (!template) return false;
    var number = table.tBodies[0].rows.length;
    var made = template.innerHTML.replace(/__n__/g, String(number)).replace(/__m__/g, String(number + 1));
    table.tBodies[0].insertAdjacentHTML("beforeend", made);
    return true;
  }
  function put(element, text) {
    if (element.tagName === "SELECT") {
      var match = Array.from(element.options).find(function (one) { return one.text.trim() === text || one.value === text; });
      element.value = match ? match.value : element.value;
      element.classList.toggle("is-invalid", Boolean(text) && !match);
      element.title = text && !match ? "没有“" + text + "”这个选项" : "";
      return;
    }
    element.value = text;
    var bad = text !== "" && element.classList.contains("num") && !/^-?[\d,，.]+%?$/.test(text.trim());
    element.classList.toggle("is-invalid", bad);
    element.title = bad ? "“" + text + "”不是数" : "";
  }
  document.addEventListener("paste", function (event) {
    var start = event.target;
    var table = start.closest && start.closest("table[data-grid]");
    var text = event.clipboardData && event.clipboardData.getData("text/plain");
    if (!table || !text || !/[\t\n]/.test(text.replace(/\r?\n$/, ""))) return;
    event.preventDefault();
    var block = text.replace(/\r/g, "").replace(/\n$/, "").split("\n").map(function (line) { return line.split("\t"); });
    var firstRow = rowsOf(table).indexOf(start.closest("tr"));
    var firstColumn = cellsOf(start.closest("tr")).indexOf(start);
    var before = [];
    var added = 0;
    block.forEach(function (line, down) {
      if (!rowsOf(table)[firstRow + down]) { if (!grow(table)) return; added += 1; }
      var cells = cellsOf(rowsOf(table)[firstRow + down]);
      line.forEach(function (value, along) {
        var cell = cells[firstColumn + along];
        if (!cell) return;
        before.push([cell, cell.value]);
        put(cell, value.trim());
      });
    });
    history.push({ table: table, before: before, added: added });
    start.dispatchEvent(new Event("input", { bubbles: true }));
  });
  // more rows without a round trip; without this script the button asks the server for them
  document.addEventListener("click", function (event) {
    var button = event.target.closest("[data-grid-add]");
    var table = button && button.form && button.form.querySelector("table[data-grid]");
    if (!table) return;
    event.preventDefault();
    var first = table.tBodies[0].rows.length;
    for (var left = Number(button.dataset.gridAdd); left > 0; left -= 1) grow(table);
    var row = table.tBodies[0].rows[first];
    if (row) cellsOf(row)[0].focus();
  });
  document.addEventListener("keydown", function (event) {
    if (!(event.ctrlKey || event.metaKey) || event.key !== "z" || !history.length) return;
    var last = history[history.length - 1];
    if (!event.target.closest || event.target.closest("table[data-grid]") !== last.table) return;
    event.preventDefault();
    history.pop();
    last.before.forEach(function (pair) { pair[0].value = pair[1]; pair[0].classList.remove("is-invalid"); });
    for (var taken = 0; taken < last.added; taken += 1) last.table.tBodies[0].deleteRow(-1);
  });
})();
