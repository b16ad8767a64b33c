// Outlines, orders and incidents on a map. The list beside it has the same, and its buttons lead here.
const data = JSON.parse(document.getElementById("places").textContent);
const words = JSON.parse(document.getElementById("words").textContent);
const box = document.getElementById("map");
const L = window.L;
const CLOSER = 1.5;

const SHAPES = {
  on_time: '<circle r="5"/>',
  late: '<path d="M0-6 6 5H-6Z"/>',
  waiting: '<path d="M0-6 6 0 0 6-6 0Z"/>',
  finished: '<circle r="4.5"/>',
  alarm: '<path d="M-2-6h4v4h4v4h-4v4h-4v-4h-4v-4h4Z"/>',
};

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function sign(kind, anchor) {
  const html = `<svg class="sign-${kind}" viewBox="-8 -8 16 16">${SHAPES[kind]}</svg>`;
  return L.divIcon({ className: "map-sign", html, iconSize: [20, 20], iconAnchor: anchor });
}

function street(one) {
  const size = Math.round(Math.min(64, 28 + Math.sqrt(one.count) * 2));
  const icon = document.createElement("div");
  icon.textContent = one.count;
  return L.divIcon({ className: `street-sign${one.late ? " late" : ""}`, html: icon, iconSize: [size, size] });
}

function label(text) {
  const node = document.createElement("span");
  node.textContent = text; // names are text, never markup
  return node;
}

if (L && box) {
  box.hidden = false;
  const map = L.map(box, { attributionControl: Boolean(data.tiles), zoomControl: false, zoomSnap: 0.25 });
  L.control.zoom({ zoomInTitle: words.zoom_in, zoomOutTitle: words.zoom_out }).addTo(map);
  if (data.tiles) L.tileLayer(data.tiles, { maxZoom: 18 }).addTo(map);
  const outlines = L.geoJSON(data.outlines, {
    style: () => ({ color: colour("--tblr-secondary"), weight: 1.5, fillColor: colour("--tblr-primary"), fillOpacity: 0.06 }),
    onEachFeature: (feature, layer) => layer.bindTooltip(label(feature.properties.name), { sticky: true }),
    interactive: true,
  }).addTo(map);
  const places = new Map();
  const put = (id, one, icon, text) => {
    const marker = L.marker([one.lat, one.lng], { icon, keyboard: false, alt: text }).addTo(map);
    marker.bindTooltip(label(text));
    places.set(id, marker);
  };
  for (const one of data.orders) put(one.id, one, sign(one.kind), `${one.name} · ${words[one.kind]}`);
  for (const one of data.streets) put(one.name, one, street(one), `${one.name} · ${one.count}`);
  // Beside a street's number, not over it.
  const beside = data.streets.length ? [-18, 38] : [10, 10];
  for (const one of data.incidents) put(one.id, one, sign("alarm", beside), words.alarm);
  const all = L.featureGroup([...places.values()]);
  const bounds = outlines.getLayers().length ? outlines.getBounds() : all.getBounds();
  if (bounds.isValid()) map.fitBounds(bounds, { padding: [16, 16], animate: false });
  else map.setView([38.5, 102.2], 9);
  if (bounds.isValid() && all.getBounds().isValid()) {
    // Most of a city's land has no orders: closer to where they are, but never so close that the outlines are lost.
    map.fitBounds(all.getBounds(), { padding: [64, 64], maxZoom: map.getZoom() + CLOSER, animate: false });
  }
  for (const button of document.querySelectorAll("[data-place]")) {
    button.hidden = !places.has(button.dataset.place);
    button.addEventListener("click", () => {
      const marker = places.get(button.dataset.place);
      const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
      map.setView(marker.getLatLng(), Math.max(map.getZoom(), 13), { animate: !calm });
      marker.openTooltip();
      box.scrollIntoView({ block: "nearest" });
    });
  }
}
