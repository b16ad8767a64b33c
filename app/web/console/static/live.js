// The desk's stream, once per page. What comes is told on the document: "desk:ready" when whoever reads the present state
// now misses nothing afterwards, "desk:order", "desk:incident", … by the first word of an event's type, and "desk:unheard"
// now and then while the stream says nothing: a proxy may hold it back, or the session is over. Who asks then, finds out.
const TYPES = `ready order.changed order.nobody_found order.deadline_missed rounds.published
incident.raised incident.repeated incident.acknowledged incident.verified incident.closed incident.help_sent incident.identified
incident.called incident.waiting incident.call_authority incident.step_failed
callback.due followup.due transfer.overdue request.received emergency.received device.offline device.back
call.queued call.answered call.ended call.abandoned agent.offered agent.missed voicemail.left source.lost
source.restored`.split(/\s+/);
const AGAIN_MS = 3000, LONGEST_MS = 15000;
const UNHEARD = 2; // looks without a stream after which it counts as lost,
const UNHEARD_EVERY = 7; // and between asking by oneself
// Changes of orders are many, and only a board shows them; telephones ring on the desk alone.
const ABOUT = ["incident", "callback", "followup", "transfer", "request", "emergency", "voicemail"];
if (document.getElementById("board")) ABOUT.push("order");
if (document.getElementById("call")) ABOUT.push("agent", "call");
const ADDRESS = `/v1/desk/stream?${ABOUT.map((word) => `about=${word}`).join("&")}`;
let source;
let begun = false;
let quiet = 0, refused = 0, due = 0;

function tell(name, detail) {
  document.dispatchEvent(new CustomEvent(`desk:${name}`, { detail }));
}

function listen() {
  source = new EventSource(ADDRESS);
  begun = false;
  for (const type of TYPES) {
    source.addEventListener(type, (event) => {
      if (type !== "ready") return tell(type.split(".")[0], JSON.parse(event.data));
      if (!begun) tell("ready", {}); // when it comes back by itself it goes on where it was
      begun = true;
    });
  }
}

// The server ends the stream now and then and the browser comes back; what it does not come back from, we do.
function watch() {
  const closed = source.readyState === EventSource.CLOSED;
  quiet = begun && source.readyState === EventSource.OPEN ? 0 : quiet + 1;
  const link = document.getElementById("link");
  if (link) link.textContent = quiet >= UNHEARD ? link.dataset.lost : "";
  if (quiet % UNHEARD_EVERY === UNHEARD || (closed && quiet === 1)) tell("unheard", {});
  if (source.readyState === EventSource.OPEN) refused = 0;
  if (!closed || Date.now() < due) return;
  refused += 1; // by a server that is starting, or because too many pages are open: not every three seconds
  due = Date.now() + Math.min(LONGEST_MS, AGAIN_MS * 2 ** refused);
  listen();
}

// Only when every script of the page hears it: they have all run before this event.
if (location.pathname.startsWith("/console")) {
  document.addEventListener("DOMContentLoaded", () => {
    listen();
    setInterval(watch, AGAIN_MS);
  });
}
