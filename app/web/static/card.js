// Help asked for from a scanned card. The form works without this; with it, whoever has no net is told to call.
const form = document.getElementById("help");
const said = document.getElementById("said");
const PATIENCE_MS = 20000;
let sent = null; // what was sent under the form's key and not taken yet

// Pressing twice, or again after a lost answer, asks once; other words, or a new need later, ask anew.
function renew() {
  const bytes = Array.from(crypto.getRandomValues(new Uint8Array(16)));
  form.once.value = bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");
  sent = null;
}

function say(taken) {
  said.textContent = taken ? form.dataset.taken : form.dataset.failed;
  said.className = `notice ${taken ? "good" : "bad"}`;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (form.hasAttribute("aria-busy")) return;
  form.setAttribute("aria-busy", "true");
  const words = JSON.stringify([form.note.value, form.phone.value]);
  if (sent !== null && sent !== words) renew();
  sent = words;
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), PATIENCE_MS);
  try {
    const body = new URLSearchParams(Array.from(new FormData(form)));
    const answer = await fetch(location.pathname, { method: "POST", body, signal: stop.signal });
    if (answer.ok) renew();
    say(answer.ok);
  } catch {
    say(false);
  } finally {
    clearTimeout(timer);
    form.removeAttribute("aria-busy");
  }
});
