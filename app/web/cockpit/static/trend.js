// The fourteen days as a chart, over the table that is there without it. Colours are the page's own.
const place = document.getElementById("trend");
const data = JSON.parse(document.getElementById("trend-data").textContent);
let chart = null;

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function draw() {
  if (!window.echarts || !data.lines.some((line) => line.values?.some((value) => value))) return;
  place.hidden = false;
  const ink = colour("--tblr-body-color");
  const quiet = colour("--tblr-secondary");
  const colours = [colour("--edge"), colour("--tblr-primary"), colour("--tblr-link-color")];
  const reduced = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  chart?.dispose();
  chart = window.echarts.init(place, null, { renderer: "canvas" });
  chart.setOption({
    animation: !reduced,
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: ink },
    color: colours,
    legend: { textStyle: { color: ink }, top: 0 },
    grid: { left: 40, right: 48, top: 32, bottom: 24 },
    xAxis: { type: "category", data: data.days.map((day) => day.slice(5)), axisLabel: { color: quiet } },
    yAxis: [
      { type: "value", minInterval: 1, axisLabel: { color: quiet }, splitLine: { lineStyle: { color: colour("--edge"), opacity: 0.2 } } },
      { type: "value", min: 0, max: 1, axisLabel: { color: quiet, formatter: (value) => `${Math.round(value * 100)}%` }, splitLine: { show: false } },
    ],
    tooltip: { trigger: "axis", renderMode: "richText" },
    series: data.lines.map((line, number) => ({
      name: line.name,
      type: line.share ? "line" : "bar",
      yAxisIndex: line.share ? 1 : 0,
      data: line.values ?? [],
      connectNulls: false,
      tooltip: { valueFormatter: (value) => (value == null ? "–" : line.share ? `${(value * 100).toFixed(1)}%` : String(value)) },
      symbol: number === 1 ? "circle" : "triangle",
      symbolSize: 7,
      itemStyle: { color: colours[number], opacity: line.share ? 1 : 0.35 },
      lineStyle: { type: number === 1 ? "solid" : "dashed" },
    })),
  });
}

draw();
new MutationObserver(draw).observe(document.documentElement, { attributes: true, attributeFilter: ["data-bs-theme"] });
window.addEventListener("resize", () => chart?.resize());
