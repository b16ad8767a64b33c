// How a line of the board is said. Pure: "now" is given, in seconds. Times are the service's, in Shanghai (no summer time).
const SHANGHAI_S = 8 * 3600;
const DAY_S = 86400;
export const SOON_S = 600;
export const words = JSON.parse(document.getElementById("words").textContent);
const said = words.board;

export function filled(text, values) {
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

export function duration(seconds) {
  const s = Math.floor(Math.abs(seconds));
  if (s < 60) return filled(said.seconds, { n: s });
  if (s < 3600) return filled(said.minutes, { n: Math.floor(s / 60) });
  if (s >= DAY_S) return filled(said.days, { n: Math.floor(s / DAY_S) });
  const minutes = Math.floor((s % 3600) / 60);
  const hours = filled(said.hours, { n: Math.floor(s / 3600) });
  return minutes ? `${hours} ${filled(said.minutes, { n: minutes })}` : hours;
}

function time(at) {
  return new Date((at + SHANGHAI_S) * 1000).toISOString().slice(11, 16);
}

export function moment(at, now) {
  const day = Math.floor((at + SHANGHAI_S) / DAY_S) - Math.floor((now + SHANGHAI_S) / DAY_S);
  const date = new Date((at + SHANGHAI_S) * 1000);
  const near = Math.abs(day) <= 1 && said.days_near[day + 1];
  return `${near || filled(said.day, { m: date.getUTCMonth() + 1, d: date.getUTCDate() })} ${time(at)}`;
}

export function span(line, now) {
  if (!line.to) return moment(line.from, now) + said.from_on;
  const same = Math.floor((line.from + SHANGHAI_S) / DAY_S) === Math.floor((line.to + SHANGHAI_S) / DAY_S);
  return `${moment(line.from, now)}–${same ? time(line.to) : moment(line.to, now)}`;
}

export function level(line, now) {
  if (!line.due_at) return "none";
  if (line.due_at < now) return "late";
  return line.due_at < now + SOON_S ? "soon" : "fine";
}

const SYMBOLS = { late: "▲ ", soon: "◆ ", fine: "" };

export function left(line, now) {
  const how = level(line, now);
  if (how === "none") return said.no_deadline;
  return SYMBOLS[how] + filled(how === "late" ? said.over : said.left, { time: duration(line.due_at - now) });
}

export function deadline(line, now) {
  if (!line.due_at) return "";
  return filled(said.by_deadline, { name: said.deadlines[line.due] ?? line.due, at: moment(line.due_at, now) });
}

export function delivery(line, now) {
  if (line.status !== "dispatched" || !line.dispatched_at) return "";
  const state = words.delivery[line.delivery] ?? line.delivery;
  return filled(said.waiting, { time: duration(now - line.dispatched_at), state });
}
