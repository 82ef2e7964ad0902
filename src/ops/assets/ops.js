/* Makes the dashboard live. Every page works without it. Texts are set as text, never as HTML. */
"use strict";

const byId = (id) => document.getElementById(id);

/** @param {string} tag @param {string} text @param {string} [className] */
function element(tag, text, className) {
  const made = document.createElement(tag);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

/* Live texts */

function showFields(fields) {
  for (const [name, text] of Object.entries(fields)) {
    for (const node of document.querySelectorAll(`[data-live="${CSS.escape(name)}"]`)) {
      if (node.textContent !== text) node.textContent = text;
      if (node.dataset.value !== undefined) node.dataset.value = text;
    }
  }
}

function showTables(tables) {
  for (const [name, rows] of Object.entries(tables)) {
    const body = document.querySelector(`[data-live-rows="${CSS.escape(name)}"]`);
    if (!body || rows.length === 0) continue;
    const key = JSON.stringify(rows);
    if (body.dataset.shown === key) continue;
    body.dataset.shown = key;
    body.replaceChildren(
      ...rows.map((cells) => {
        const row = document.createElement("tr");
        row.replaceChildren(...cells.map((cell) => element("td", cell)));
        return row;
      }),
    );
  }
}

function showVerdict({ verdict, headline, findings }) {
  const box = byId("verdict");
  if (!box) return;
  const key = JSON.stringify([headline, findings]);
  if (box.dataset.shown === key) return;
  box.dataset.shown = key;
  box.className = `verdict ${verdict}`;
  const list = document.createElement("ul");
  for (const { severity, what, remedy, page } of findings) {
    const item = element("li", "", severity);
    item.append(element("strong", what), " ", element("span", remedy));
    if (page) {
      const link = element("a", page.name);
      link.setAttribute("href", page.href);
      item.append(" ", link);
    }
    list.append(item);
  }
  box.replaceChildren(element("p", headline, "headline"), list);
}

let source;

function say(text) {
  const badge = byId("live");
  if (badge) badge.textContent = text;
}

function listen() {
  if (source || !document.querySelector("[data-live]")) return;
  source = new EventSource("/ops/events");
  source.onmessage = ({ data }) => {
    const view = JSON.parse(data);
    say("live");
    showFields(view.fields);
    showTables(view.tables);
    showVerdict(view);
  };
  source.onerror = () => say(source?.readyState === EventSource.CLOSED ? "not live: load anew" : "not live");
}

function stopListening() {
  source?.close();
  source = undefined;
}

/* Nobody looks at a hidden page. */
document.addEventListener("visibilitychange", () => (document.hidden ? stopListening() : listen()));
addEventListener("pagehide", stopListening);
addEventListener("pageshow", listen);

/* Choosing all */

for (const all of document.querySelectorAll("[data-choose-all]")) {
  all.addEventListener("change", () => {
    for (const box of all.form.querySelectorAll('input[name="id"]')) box.checked = all.checked;
  });
}

/* Charts */

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const charts = {
  rates: {
    series: [
      ["accepted/s", "--one"],
      ["flushed/s", "--two"],
    ],
    columns: ["acceptedPerSecond", "flushedPerSecond"],
  },
  pending: { series: [["pending", "--one"]], columns: ["pending"] },
  oldest: { series: [["seconds", "--one"]], columns: ["oldestAgeSeconds"] },
  dead: { series: [["dead letters", "--bad"]], columns: ["deadLetters"] },
};

const chartHeight = 180;

function draw(figure, data) {
  const { series, columns } = charts[figure.dataset.chart];
  const pad = (number) => String(number).padStart(2, "0");
  /* In UTC, as everything on these pages is. */
  const timeOf = (seconds, isLong) => {
    const at = new Date(seconds * 1000);
    const time = `${pad(at.getUTCHours())}:${pad(at.getUTCMinutes())}`;
    return isLong ? `${pad(at.getUTCMonth() + 1)}-${pad(at.getUTCDate())} ${time}` : time;
  };
  const times = (_plot, splits, _axis, _space, step) =>
    splits.map((at) => (step < 60 ? `${timeOf(at)}:${pad(at % 60)}` : timeOf(at, step >= 14_400)));
  const axis = {
    stroke: colour("--muted"),
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { show: false },
  };
  const options = {
    width: figure.clientWidth,
    height: chartHeight,
    cursor: { drag: { x: false, y: false } },
    scales: { y: { range: (_plot, _least, most) => [0, Math.max(1, most * 1.1)] } },
    axes: [
      { ...axis, values: times, space: 75 },
      { ...axis, size: 60 },
    ],
    series: [
      { label: "UTC", value: (_plot, at) => (at === null ? "–" : timeOf(at, true)) },
      ...series.map(([label, name]) => ({ label, stroke: colour(name), width: 2, points: { show: false } })),
    ],
  };
  const columnsOf = (all) => [all.times, ...columns.map((name) => all[name])];
  const plot = new uPlot(options, columnsOf(data), figure);
  new ResizeObserver(() => plot.setSize({ width: figure.clientWidth, height: chartHeight })).observe(figure);
  return (all) => plot.setData(columnsOf(all));
}

async function chart(container) {
  const address = `/ops/history.json?range=${encodeURIComponent(container.dataset.history)}`;
  const load = async () => {
    const answer = await fetch(address, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(`history: ${answer.status}`);
    return answer.json();
  };
  const figures = [...container.querySelectorAll("figure[data-chart]")];
  let updates;
  const show = async () => {
    if (document.hidden) return;
    const data = await load();
    if (data.times.length < 2) return;
    if (updates) for (const update of updates) update(data);
    else updates = figures.map((figure) => draw(figure, data));
    container.dataset.drawn = "yes";
  };
  const showOrNot = () => show().catch(() => undefined);
  await showOrNot();
  setInterval(showOrNot, container.dataset.history === "30m" ? 5000 : 60_000);
}

for (const container of document.querySelectorAll("[data-history]")) void chart(container);
