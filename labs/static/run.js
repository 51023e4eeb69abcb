// Follows a run: asks for its new events twice a second and shows them; at the end the page is loaded anew.
// It begins with the first event, so that a page opened in the middle of a run comes to show the same.

const live = document.getElementById("live");
const progress = document.getElementById("progress");
const said = document.getElementById("said");
const state = document.getElementById("state");
const chart = document.getElementById("live-chart");
const parts = [...document.querySelectorAll("[data-part], [data-arrow]")];
const PAUSE = Number(live.dataset.pause);

let after = 0;
const values = {};
const samples = [];

const figure = (value) => (Number.isInteger(value) ? String(value) : value.toFixed(4));

// What a lab says is content in English; what this page says is in the page's own language.
function say(text, language) {
  said.lang = language;
  said.textContent = text;
}

function show(events) {
  const before = { ...values };
  for (const { kind, share, text, at, values: measured } of events) {
    if (kind === "progress") progress.value = share;
    if (kind === "log") say(text, "en");
    if (kind === "metric") {
      Object.assign(values, measured);
      samples.push({ at, ...measured });
    }
  }
  const changed = new Set(Object.keys(values).filter((name) => values[name] !== before[name]));
  for (const name of changed) {
    for (const place of document.querySelectorAll(`[data-metric="${CSS.escape(name)}"]`)) {
      place.textContent = figure(values[name]);
    }
  }
  parts.forEach((part) => light(part, changed));
  if (chart && changed.size) draw();
}

// A part or an arrow is lit while one of its metrics changes, and marked as used once one of them is not 0.
function light(part, changed) {
  const names = `${part.dataset.part ?? ""} ${part.dataset.arrow ?? ""}`.split(/\s+/);
  part.classList.toggle("lit", names.some((name) => changed.has(name)));
  part.classList.toggle("used", names.some((name) => values[name]));
}

function draw() {
  const traces = [...chart.querySelectorAll("[data-trace]")];
  const names = traces.map((trace) => trace.dataset.trace);
  const whole = samples.filter((sample) => names.every((name) => name in sample));
  const seconds = Math.max(...whole.map(({ at }) => at));
  if (!(seconds > 0)) return;
  const top = Math.max(1, ...whole.flatMap((sample) => names.map((name) => sample[name])));
  const { wide, tall } = chart.dataset;
  for (const trace of traces) {
    const points = whole.map((sample) => [(sample.at / seconds) * wide, tall - (sample[trace.dataset.trace] / top) * tall]);
    trace.setAttribute("points", [[0, tall], ...points].map((point) => point.join(",")).join(" "));
  }
  document.getElementById("live-end").textContent = seconds.toFixed(1);
}

async function follow() {
  try {
    const answer = await fetch(`${live.dataset.events}?after=${after}`, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(String(answer.status));
    const { state: now, open, last, events } = await answer.json();
    show(events);
    after = last;
    const words = live.dataset[now];
    if (words && state.textContent !== words) state.textContent = words;
    if (!open) {
      location.reload();
      return;
    }
  } catch {
    say(live.dataset.away, document.documentElement.lang);
  }
  setTimeout(next, PAUSE);
}

// A page that nobody sees asks nothing.
function next() {
  if (document.hidden) document.addEventListener("visibilitychange", next, { once: true });
  else follow();
}

follow();
