// Says when the figures have stopped: a wall that shows old numbers as if they were new is worse than an empty one.
const PATIENCE_MS = 45_000;
const main = document.querySelector("main");
const stale = document.getElementById("stale");
let heard = performance.now();
let when = timeNow();

function timeNow() {
  return new Date().toLocaleTimeString("zh-CN", { hour: "2-digit", minute: "2-digit", hour12: false });
}

document.addEventListener("htmx:afterSwap", () => {
  heard = performance.now();
  when = timeNow();
  stale.hidden = true;
});
setInterval(() => {
  if (performance.now() - heard < PATIENCE_MS) return;
  stale.textContent = main.dataset.stale.replace("{time}", when);
  stale.hidden = false;
}, 5_000);
