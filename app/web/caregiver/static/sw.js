// The worker of the caregiver's pages. VERSION, KEPT and SCRIPTS are written above by the server.
// It keeps the shell and its files, which are the same for everybody, and no answer about anybody.
importScripts.apply(null, SCRIPTS);

const CACHE = "caregiver-" + VERSION;
const SHELL = KEPT[0];
const PATIENCE_MS = 5000;

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(KEPT)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    caches.keys()
      .then((names) => Promise.all(names.filter((n) => n.startsWith("caregiver-") && n !== CACHE).map((n) => caches.delete(n))))
      .then(() => self.clients.claim())
  );
});

// The net first; the shell when there is none, when it takes too long, or when the centre is just restarting.
function page(request) {
  const shell = () => caches.match(SHELL);
  const late = new Promise((resolve) => setTimeout(() => resolve(null), PATIENCE_MS));
  const live = fetch(request).then((answer) => (answer.status >= 500 ? null : answer), () => null);
  return Promise.race([live, late]).then((answer) => answer || shell().then((kept) => kept || live)).then((answer) => answer || Response.error());
}

self.addEventListener("fetch", (event) => {
  const request = event.request;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (request.mode === "navigate" && url.pathname.startsWith("/caregiver")) {
    event.respondWith(page(request));
  } else if (KEPT.indexOf(url.pathname + url.search) > 0) {
    event.respondWith(caches.match(request).then((kept) => kept || fetch(request)));
  }
});

self.addEventListener("sync", (event) => {
  if (event.tag !== "outbox") return;
  event.waitUntil(self.nuanxian.sync().then((state) => {
    if (state === "offline" || state === "busy") throw new Error(state);  // the browser tries again later
  }));
});
