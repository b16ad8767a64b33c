// An action whose ten seconds were cut short by leaving the page: the browser sent it, and nobody heard the answer. The next
// page asks once more with the same key (it happens once all the same), and tells when it was refused.
import { refusal, signedOut } from "./refusal.js";

const PLACE = "left";
const FRESH_MS = 30_000;
const HEAD_START_MS = 800;
const told = document.getElementById("left");

export function leave(form, what) {
  const { operator } = told.dataset;
  const kept = { operator, what, action: form.action, body: String(new URLSearchParams(new FormData(form))), page: location.pathname, at: Date.now() };
  try { sessionStorage.setItem(PLACE, JSON.stringify(kept)); } catch { /* nobody will hear; it is sent all the same */ }
}

function taken() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(PLACE));
    sessionStorage.removeItem(PLACE);
    return kept;
  } catch { return null; }
}

async function ask({ what, action, body, page }) {
  await new Promise((resolve) => setTimeout(resolve, HEAD_START_MS));
  const headers = { Accept: "text/html", "Content-Type": "application/x-www-form-urlencoded" };
  const answer = await fetch(action, { method: "POST", body, headers }).catch(() => null);
  const done = Boolean(answer?.ok && !signedOut(answer));
  told.dataset.done = String(done);
  if (done) return;
  const why = answer && !signedOut(answer) && await refusal(answer);
  const link = Object.assign(document.createElement("a"), { href: page, textContent: told.dataset.look });
  const line = Object.assign(document.createElement("p"), { className: "notice-line bad" });
  line.append(told.dataset.failed.replace("{what}", what) + (why || "") + " ", link);
  told.replaceChildren(line);
}

const kept = taken();
if (kept && kept.operator === told.dataset.operator && Date.now() - kept.at < FRESH_MS) ask(kept);
