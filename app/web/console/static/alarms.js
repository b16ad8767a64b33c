// What burns cannot be overlooked: a clock for each alarm, the window's title, and a sound while nobody has taken it on.
// Browsers are silent until somebody has touched the page; as long as that is so, a button says it.
const strip = document.getElementById("alarms");
const said = document.getElementById("alarm-said");
const button = document.getElementById("sound");
const plainTitle = document.title;
const BEEP_S = 2;
let context;
let muted = false;
let ticks = 0;
let known = new Set(ids());

function alarms() {
  return [...strip.querySelectorAll("[data-incident]")];
}

function ids() {
  return [...document.querySelectorAll("#alarms [data-incident]")].map((one) => one.dataset.incident);
}

function waiting() {
  return alarms().filter((one) => one.dataset.status === "open");
}

function clock(seconds) {
  const two = (n) => String(n).padStart(2, "0");
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return h ? `${h}:${two(m)}:${two(s)}` : `${two(m)}:${two(s)}`;
}

function tick() {
  ticks += 1;
  for (const face of document.querySelectorAll("[data-since]")) {
    const offset = Number(face.dataset.now) - Number(face.dataset.read ?? (face.dataset.read = Date.now() / 1000));
    face.textContent = clock(Math.max(0, Math.floor(Date.now() / 1000 + offset - Number(face.dataset.since))));
  }
  const count = waiting().length;
  strip.classList.toggle("flash", count > 0 && ticks % 2 === 1);
  document.title = count && ticks % 2 ? strip.dataset.title.replace("{n}", count) : plainTitle;
  if (count && ticks % BEEP_S === 1) beep();
  showSound();
}

function beep() {
  if (muted || context?.state !== "running") return;
  const now = context.currentTime;
  for (const [at, pitch] of [[0, 880], [0.22, 660], [0.44, 880]]) {
    const tone = context.createOscillator();
    const volume = context.createGain();
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0.0001, now + at);
    volume.gain.exponentialRampToValueAtTime(0.4, now + at + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0001, now + at + 0.2);
    tone.connect(volume).connect(context.destination);
    tone.start(now + at);
    tone.stop(now + at + 0.2);
  }
}

function showSound() {
  const silent = context?.state !== "running";
  button.hidden = false;
  button.textContent = silent ? button.dataset.off : muted ? button.dataset.muted : button.dataset.on;
  button.classList.toggle("sound-off", silent || muted);
  button.setAttribute("aria-pressed", String(!silent && !muted));
}

function wake() {
  context ??= new AudioContext();
  context.resume().then(showSound, showSound);
}

button.addEventListener("click", () => {
  if (context?.state === "running") muted = !muted;
  showSound();
});
for (const touch of ["click", "keydown"]) document.addEventListener(touch, wake, { once: true });

strip.addEventListener("htmx:afterSwap", () => {
  const news = alarms().filter((one) => !known.has(one.dataset.incident));
  known = new Set(ids());
  if (news.length) said.textContent = news.map((one) => one.dataset.said).join(" ");
  ticks = 0;
  tick();
});

tick();
setInterval(tick, 1000);
