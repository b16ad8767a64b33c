// An order's page: ten seconds to think better of it, and who else is looking.
// Leaving the page within them carries the action out at once (the browser delivers it by itself), and the page says so.
import { leave } from "./left.js";
import { refusal, signedOut } from "./refusal.js";

const words = JSON.parse(document.getElementById("order-data").textContent);
const place = document.getElementById("undo");
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
let waiting = null;

function send(of, extra) {
  return fetch(of.action, { method: "POST", body: new URLSearchParams(new FormData(of)), headers: { Accept: "text/html" }, ...extra });
}

function say(text, tone) {
  place.replaceChildren(Object.assign(document.createElement("p"), { className: `notice-line ${tone}`, textContent: text }));
}

// The page stays as it is: what was filled in is sent again once somebody has signed in beside it.
function askToSignIn(address) {
  say(words.signed_out + " ", "bad");
  const link = Object.assign(document.createElement("a"), { href: address, target: "_blank", rel: "noopener", textContent: words.sign_in });
  place.firstChild.append(link);
}

function begin(of) {
  const what = of.dataset.undoable;
  const until = performance.now() + words.seconds * 1000;
  const line = document.createElement("span");
  const button = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-primary" });
  button.append(words.undo + " ", Object.assign(document.createElement("kbd"), { textContent: words.undo_key }));
  button.dataset.key = words.undo_key;
  button.addEventListener("click", undo);
  const box = Object.assign(document.createElement("div"), { className: "notice-line half undo-line" });
  box.append(line, button, Object.assign(document.createElement("small"), { className: "quiet", textContent: words.leaving }));
  place.replaceChildren(box);
  button.focus();
  document.querySelectorAll("[data-undoable]").forEach((one) => { one.inert = true; });
  const tell = () => {
    const left = Math.ceil((until - performance.now()) / 1000);
    line.textContent = fill(words.undo_in, { what, seconds: Math.max(0, left) });
    if (left <= 0) finish();
  };
  waiting = { of, timer: setInterval(tell, 250) };
  tell();
}

function stop() {
  clearInterval(waiting.timer);
  waiting = null;
  document.querySelectorAll("[data-undoable]").forEach((one) => { one.inert = false; });
}

function undo() {
  if (!waiting) return;
  stop();
  say(words.undone, "good");
}

async function finish() {
  const { of } = waiting;
  stop();
  say(words.sending, "half");
  try {
    const answer = await send(of);
    if (signedOut(answer)) { askToSignIn(answer.url); return; }
    if (answer.ok) { location.assign(answer.url); return; }
    say(fill(words.failed, { why: await refusal(answer) || words.refusals.other }), "bad");
  } catch {
    say(fill(words.failed, { why: words.refusals["503"] }), "bad");
  }
}

document.addEventListener("submit", (event) => {
  const of = event.target.closest("[data-undoable]");
  if (!of) return;
  event.preventDefault();
  if (!waiting) begin(of);
});

// Who else is looking, and whether it has changed: asked as long as the page is before somebody.
const viewers = document.getElementById("viewers");
function look() {
  if (viewers && !document.hidden && location.pathname.endsWith(viewers.dataset.order)) htmx.trigger(viewers, "look");
}
addEventListener("load", look);
document.addEventListener("visibilitychange", look);
setInterval(look, 1500);

// What has changed is shown at once, but not under the hands of somebody who has opened something or is about to act.
const order = () => document.getElementById("order");
const changed = document.getElementById("changed");
const refresh = () => htmx.trigger(order(), "fresh");
function busy() {
  return Boolean(waiting || order().querySelector("details[open]") || document.activeElement?.closest("#order form"));
}

document.addEventListener("htmx:afterSwap", ({ detail: { target } }) => {
  if (target.id === "order") changed.replaceChildren();
  if (target !== viewers) return;
  const now = viewers.querySelector("data")?.value;
  if (!now || now === order()?.dataset.version) return;
  if (!busy()) refresh();
  else if (!changed.firstChild) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-sm", textContent: words.refresh });
    button.addEventListener("click", refresh);
    const line = Object.assign(document.createElement("p"), { className: "notice-line half" });
    line.append(words.changed + " ", button);
    changed.append(line);
  }
});
setInterval(() => { if (!document.hidden && order()?.querySelector("[data-running]") && !busy()) refresh(); }, 20_000);

addEventListener("pagehide", () => {
  if (waiting) {
    leave(waiting.of, waiting.of.dataset.undoable);
    send(waiting.of, { keepalive: true });
    stop();
  }
  if (viewers) fetch(`/console/orders/${viewers.dataset.order}/viewers/leave`, { method: "POST", keepalive: true });
});
