(function () {
  "use strict";
  var root = document.documentElement, store = null;
  root.classList.add("has-js");
  try { store = window.localStorage; } catch (e) { store = null; }
  var narrow = window.matchMedia("(max-width: 640px)");
  if (narrow.matches) { var toc = document.getElementById("toc"); if (toc) toc.open = false; }

  /* theme */
  var theme = document.getElementById("theme"), system = window.matchMedia("(prefers-color-scheme: dark)");
  function dark() { return root.dataset.theme ? root.dataset.theme === "dark" : system.matches; }
  function word() { if (theme) theme.textContent = dark() ? "换成浅色" : "换成深色"; }
  try { if (store && store.getItem("jh-theme")) root.dataset.theme = store.getItem("jh-theme"); } catch (e) { /* private window */ }
  word();
  if (theme) theme.addEventListener("click", function () {
    root.dataset.theme = dark() ? "light" : "dark";
    try { if (store) store.setItem("jh-theme", root.dataset.theme); } catch (e) { /* private window */ }
    word(); redraw();
  });
  system.addEventListener("change", function () { word(); redraw(); });
  var print = document.getElementById("print");
  if (print) print.addEventListener("click", function () { window.print(); });

  /* on paper everything is open */
  window.addEventListener("beforeprint", function () {
    document.querySelectorAll("details:not([open])").forEach(function (item) { item.open = true; item.dataset.shut = "1"; });
  });
  window.addEventListener("afterprint", function () {
    document.querySelectorAll("details[data-shut]").forEach(function (item) { item.open = false; item.removeAttribute("data-shut"); });
  });

  /* why there is no value: also by tap and keyboard */
  var tip = null;
  function closeTip() { if (tip) { tip.remove(); tip = null; } }
  document.addEventListener("click", function (event) {
    var button = event.target.closest(".why");
    closeTip();
    if (!button) return;
    tip = document.createElement("div");
    tip.className = "tip"; tip.setAttribute("role", "status"); tip.textContent = button.title;
    document.body.appendChild(tip);
    var box = button.getBoundingClientRect();
    tip.style.top = window.scrollY + box.bottom + 4 + "px";
    tip.style.left = Math.max(8, Math.min(window.scrollX + box.left, window.scrollX + root.clientWidth - tip.offsetWidth - 8)) + "px";
  });
  document.addEventListener("keydown", function (event) { if (event.key === "Escape") closeTip(); });
  window.addEventListener("scroll", closeTip, { passive: true });

  /* sort: the first press of a number column shows the largest first; no value is always last */
  document.addEventListener("click", function (event) {
    var button = event.target.closest(".sort");
    if (!button) return;
    var head = button.closest("th"), table = head.closest("table"), body = table.tBodies[0], column = Number(head.dataset.col);
    var was = head.getAttribute("aria-sort"), numeric = head.classList.contains("num");
    var down = was ? was === "ascending" : numeric;
    table.querySelectorAll("[aria-sort]").forEach(function (th) { th.removeAttribute("aria-sort"); });
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    var rows = Array.prototype.slice.call(body.rows).map(function (row, index) {
      var cell = row.cells[column], value = numeric ? (cell.dataset.v === undefined ? null : Number(cell.dataset.v)) : cell.textContent;
      return { row: row, value: value, index: index };
    });
    rows.sort(function (a, b) {
      if (a.value === null || b.value === null) return (a.value === null) - (b.value === null) || a.index - b.index;
      var order = numeric ? a.value - b.value : a.value.localeCompare(b.value, "zh-CN", { numeric: true });
      return (down ? -order : order) || a.index - b.index;
    });
    rows.forEach(function (item) { body.appendChild(item.row); });
  });

  /* find a row by its name */
  document.querySelectorAll("[data-find]").forEach(function (input) {
    var body = document.getElementById(input.getAttribute("aria-controls")).tBodies[0];
    input.addEventListener("input", function () {
      var wanted = input.value.trim().toLowerCase();
      Array.prototype.forEach.call(body.rows, function (row) { row.hidden = wanted !== "" && row.cells[0].textContent.toLowerCase().indexOf(wanted) < 0; });
    });
  });

  /* charts: the static picture stays until the chart is seen, and where the browser cannot draw it */
  var data = document.getElementById("chart-data"), drawn = [];
  if (!data || !window.vegaEmbed) return;
  var all = JSON.parse(data.textContent);
  function themed(spec) {
    var text = JSON.stringify(spec);
    if (dark()) Object.keys(all.dark).forEach(function (light) { text = text.split('"' + light + '"').join('"' + all.dark[light] + '"'); });
    return JSON.parse(text);
  }
  function build(key, width) {
    var spec = themed(all.charts[key].spec), small = width < 520;
    spec.width = width;
    spec.autosize = { type: "fit-x", contains: "padding" };
    spec.config = themed(all.config);
    spec.config.font = '"PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif';
    if (small) {
      spec.config.axis.labelLimit = 118; spec.config.axis.labelFontSize = 12; spec.config.text.fontSize = 12;
      if (spec.layer) spec.layer = spec.layer.filter(function (layer) { return layer.name !== "wide-only"; });
    }
    return spec;
  }
  var options = { renderer: "svg", actions: false, tooltip: { theme: "custom" } };
  function draw(plot) {
    var width = Math.floor(plot.clientWidth);
    if (!width || plot.dataset.width === width + String(dark())) return;
    plot.dataset.width = width + String(dark());
    var place = document.createElement("div");
    window.vegaEmbed(place, build(plot.dataset.chart, width), options).then(function (result) {
      if (plot.view) plot.view.finalize();
      plot.view = result.view;
      plot.replaceChildren(place);
      plot.dataset.drawn = "1";
    }).catch(function () { /* the static picture stays */ });
  }
  function redraw() { drawn.forEach(draw); }
  var watch = new IntersectionObserver(function (entries) {
    entries.forEach(function (entry) {
      if (entry.isIntersecting) { watch.unobserve(entry.target); drawn.push(entry.target); draw(entry.target); }
    });
  }, { rootMargin: "200px" });
  document.querySelectorAll("[data-chart]").forEach(function (plot) { watch.observe(plot); });
  var timer = 0;
  window.addEventListener("resize", function () { clearTimeout(timer); timer = setTimeout(redraw, 200); });

  /* take a chart as a picture: light, with its title and definition */
  document.addEventListener("click", function (event) {
    var button = event.target.closest("[data-save]");
    if (!button) return;
    var item = all.charts[button.dataset.save], spec = JSON.parse(JSON.stringify(item.spec));
    spec.width = 800; spec.autosize = { type: "fit-x", contains: "padding" };
    spec.config = JSON.parse(JSON.stringify(all.config));
    spec.config.font = '"PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif';
    spec.background = "#ffffff";
    spec.padding = { left: 16, right: 16, top: 16, bottom: 16 };
    spec.title = { text: item.title, subtitle: item.subtitle, anchor: "start", fontSize: 17, subtitleFontSize: 13, subtitleColor: "#47535b", color: "#182026", offset: 24, limit: 760 };
    var place = document.createElement("div");
    window.vegaEmbed(place, spec, { renderer: "svg", actions: false }).then(function (result) {
      return result.view.toImageURL("png", 2);
    }).then(function (url) {
      var link = document.createElement("a");
      link.href = url; link.download = item.file; link.click();
    });
  });
}());
