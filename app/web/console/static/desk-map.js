// A sketch: the elder's home in the middle, everybody else in metres east and north of it. No map tiles, no addresses.
const COLOURS = { home: "--bad", spot: "--tblr-link-color", line: "--tblr-secondary" };

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(COLOURS[name]).trim();
}

function draw(box) {
  if (box.drawn || !window.L) return;
  box.drawn = true;
  const told = JSON.parse(document.getElementById(box.dataset.sketch).textContent);
  const map = L.map(box, {
    crs: L.CRS.Simple, minZoom: -12, zoomSnap: 0.1, attributionControl: false, zoomControl: false, keyboard: false,
    dragging: false, scrollWheelZoom: false, doubleClickZoom: false, boxZoom: false, touchZoom: false, tap: false,
    zoomAnimation: false, fadeAnimation: false,
  });
  const at = (spot) => [spot.y, spot.x];
  const reach = Math.max(told.radius || 0, 50, ...told.spots.map((one) => Math.hypot(one.x, one.y)));
  map.fitBounds([[-reach, -reach], [reach, reach]], { padding: [24, 24] });
  const rings = told.radius ? [told.radius] : told.grid ? [1, 2, 5, 10, 20].map((one) => one * told.grid).filter((one) => one <= reach * 1.4) : [];
  rings.forEach((radius) => L.circle([0, 0], { radius, color: colour("line"), weight: 1, fill: false, interactive: false }).addTo(map));
  told.spots.forEach((spot) => {
    L.polyline([[0, 0], at(spot)], { color: colour("line"), weight: 1, dashArray: "3 4", interactive: false }).addTo(map);
    L.circleMarker(at(spot), { radius: 6, color: colour("spot"), fillOpacity: 0.8, interactive: false }).addTo(map)
      .bindTooltip(told.names?.[spot.name] || spot.name, { permanent: told.spots.length < 6, direction: "top" });
  });
  L.circleMarker([0, 0], { radius: 7, color: colour("home"), fillOpacity: 1, interactive: false }).addTo(map)
    .bindTooltip(told.home, { permanent: true, direction: "bottom" });
}

export function drawAll(root) {
  root.querySelectorAll("[data-sketch]").forEach(draw);
}

drawAll(document);
document.addEventListener("htmx:afterSettle", (event) => drawAll(event.detail.elt.parentElement || document));
