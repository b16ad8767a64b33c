// Before the first paint: the theme somebody has chosen, else the machine's. `data-bs-theme` is what Tabler reads.
// Paper is white, whatever the screen is.
(function () {
  var root = document.documentElement;
  var machine = window.matchMedia("(prefers-color-scheme: dark)"), paper = window.matchMedia("print"), chosen = null;
  function kept() { try { return localStorage.getItem("theme"); } catch (none) { return null; } }
  function wanted() { return chosen || kept() || (machine.matches ? "dark" : "light"); }
  function apply() { root.setAttribute("data-bs-theme", paper.matches ? "light" : wanted()); }
  apply();
  if (machine.addEventListener) {
    machine.addEventListener("change", apply);
    paper.addEventListener("change", apply);
  }
  window.addEventListener("beforeprint", function () { root.setAttribute("data-bs-theme", "light"); });
  window.addEventListener("afterprint", apply);
  document.addEventListener("click", function (event) {
    if (!event.target.closest || !event.target.closest("[data-theme-switch]")) return;
    chosen = wanted() === "dark" ? "light" : "dark";
    try { localStorage.setItem("theme", chosen); } catch (none) { /* for this page only, then */ }
    apply();
  });
})();
