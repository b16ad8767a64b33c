// Before the first paint: the theme somebody has chosen, else the machine's. `data-bs-theme` is what Tabler reads.
(function () {
  var root = document.documentElement;
  var machine = window.matchMedia("(prefers-color-scheme: dark)");
  function kept() { try { return localStorage.getItem("theme"); } catch (none) { return null; } }
  function apply() {
    root.setAttribute("data-bs-theme", kept() || (machine.matches ? "dark" : "light"));
  }
  apply();
  if (machine.addEventListener) machine.addEventListener("change", apply);
  document.addEventListener("click", function (event) {
    if (!event.target.closest || !event.target.closest("[data-theme-switch]")) return;
    var other = root.getAttribute("data-bs-theme") === "dark" ? "light" : "dark";
    try { localStorage.setItem("theme", other); } catch (none) { /* for this page only, then */ }
    root.setAttribute("data-bs-theme", other);
  });
})();
