// The control room's charts: drawn from the numbers the page brings with it, and drawn on when it brings newer ones.

const COLOURS = { placed: "--now", completed: "--done", cancelled: "--undo", in_flight: "--now", waiting: "--bad" };
const charts = new Map();

// What nobody waits for is fine: then the line along the bottom is green.
function tone(name, values) {
  return name === "waiting" && Math.max(...values) === 0 ? "--done" : COLOURS[name];
}

function colour(name) {
  const seen = document.querySelector(".control").appendChild(document.createElement("i"));
  seen.style.color = `var(${name})`; // computed, as it is light or dark
  const computed = getComputedStyle(seen).color;
  seen.remove();
  return computed;
}

function clock(seconds) {
  return new Date(1000 * seconds).toISOString().slice(11, 16);
}

// From 0, and so that a line along the bottom is seen whole.
function range(_, __, most) {
  const top = Math.max(1, most || 0);
  return [-0.04 * top, 1.08 * top];
}

// So much that the longest number fits.
function room(_, numbers) {
  return Math.max(44, 20 + 7 * Math.max(0, ...(numbers ?? []).map((number) => `${number ?? ""}`.length)));
}

function whole(_, splits) {
  return splits.map((value) => (value >= 0 && Number.isInteger(value) ? value.toLocaleString("en") : ""));
}

function options(element, tones, names, large) {
  const soft = colour("--soft");
  const grid = { stroke: colour("--line"), width: 1 };
  return {
    width: element.clientWidth,
    height: element.clientHeight,
    legend: { show: false },
    cursor: large ? { y: false, drag: { x: false, y: false } } : { show: false },
    scales: { y: { range } },
    padding: large ? [8, 20, 0, 0] : [2, 0, 2, 0],
    axes: large
      ? [
          { stroke: soft, grid, ticks: grid, values: (_, at) => at.map(clock), space: 70 },
          { stroke: soft, grid, ticks: grid, values: whole, size: room },
        ]
      : [{ show: false }, { show: false }],
    series: [
      {},
      ...tones.map((tone) => ({
        stroke: colour(tone),
        fill: large ? undefined : colour(`${tone}-bg`),
        fillTo: 0,
        width: 2,
        points: { show: false },
      })),
    ],
    hooks: large ? { setCursor: [(plot) => readOut(plot, names)] } : {},
  };
}

function readOut(plot, names) {
  const index = plot.cursor.idx;
  const text =
    index === null || index === undefined
      ? ""
      : `until ${clock(plot.data[0][index])}: ${names.map((name, i) => `${plot.data[i + 1][index]} ${name}`).join(", ")}`;
  const output = document.getElementById("readout");
  if (output) output.textContent = text;
}

function draw() {
  const source = document.getElementById("series");
  const series = source ? JSON.parse(source.textContent) : {};
  if (!series.at) return;
  for (const element of document.querySelectorAll("[data-series]")) {
    const names = element.dataset.series.split(" ");
    const data = [series.at, ...names.map((name) => series[name])];
    const tones = names.map((name) => tone(name, series[name]));
    const known = charts.get(element);
    if (known && known.tones === tones.join()) {
      known.plot.setData(data);
      continue;
    }
    if (known) forget(element);
    const plot = new uPlot(options(element, tones, names, element.classList.contains("chart")), data, element);
    charts.set(element, { plot, tones: tones.join() });
  }
  for (const element of charts.keys()) if (!element.isConnected) forget(element);
}

function forget(element) {
  charts.get(element).plot.destroy();
  charts.delete(element);
}

function drawAnew() {
  for (const element of [...charts.keys()]) forget(element);
  draw();
}

let waiting = null;
function drawAnewSoon() {
  clearTimeout(waiting);
  waiting = setTimeout(drawAnew, 150);
}

draw();
document.addEventListener("htmx:afterSettle", draw);
addEventListener("resize", drawAnewSoon);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAnewSoon);
new MutationObserver(drawAnewSoon).observe(document.documentElement, { attributeFilter: ["data-theme"] });

// When the shop does not answer, the page says that its numbers are old.
for (const name of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
  document.addEventListener(name, () => {
    const pulse = document.querySelector(".pulse");
    if (pulse) {
      pulse.textContent = pulse.dataset.lost;
      pulse.classList.add("lost");
    }
  });
}
