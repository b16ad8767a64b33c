// Keeps an open page true: the stream says that there is something new, and the page asks for itself again.
const live = document.getElementById("live");
const said = document.getElementById("said");
const print = document.querySelector("[data-print]");
const SHORT_MS = 5000, LONG_MS = 60000;
let source = null, waiting = null, asking = false;

if (print) { print.hidden = false; print.addEventListener("click", () => window.print()); }

async function look() {
  if (asking) return;
  asking = true;
  try {
    const answer = await fetch(location.pathname, { headers: { Accept: "text/html" } });
    if (answer.status === 404) { location.reload(); return; }
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const now = fresh.getElementById("live");
    if (!now || now.dataset.version === live.dataset.version) return;
    live.dataset.version = now.dataset.version;
    live.replaceChildren(...now.childNodes);
    said.textContent = live.querySelector("[data-said]").textContent;
    const form = document.getElementById("rate");
    if (!form.querySelector(":checked") && !form.contains(document.activeElement)) {
      form.replaceChildren(...fresh.getElementById("rate").childNodes);
    }
  } catch { /* no line: the stream will say when there is one again */ } finally { asking = false; }
}

function listen() {
  if (source) source.close();
  if (!live.dataset.stream) return; // nothing more will happen to this order
  source = new EventSource(live.dataset.stream + "?after=" + live.dataset.version);
  source.addEventListener("changed", look);
  source.addEventListener("error", () => {
    if (source.readyState !== EventSource.CLOSED) return;
    clearTimeout(waiting);
    waiting = setTimeout(listen, SHORT_MS + Math.random() * LONG_MS);
  });
}

// A telephone in a pocket holds no line open; when it is looked at again, it catches up.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) { source?.close(); clearTimeout(waiting); } else { look(); listen(); }
});
addEventListener("pageshow", (event) => { if (event.persisted) { look(); listen(); } });
listen();
