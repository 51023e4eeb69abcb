// Follows a run: asks for its new events twice a second and shows them; at the end the page is loaded anew.

const live = document.getElementById("live");
const progress = document.getElementById("progress");
const said = document.getElementById("said");
const state = document.getElementById("state");
const PAUSE = 500;

let after = 0;

function show({ kind, share, values, text }) {
  if (kind === "progress") progress.value = share;
  if (kind === "log") say(text, "en");
  if (kind !== "metric") return;
  for (const [name, value] of Object.entries(values)) {
    for (const place of document.querySelectorAll(`[data-metric="${CSS.escape(name)}"]`)) {
      place.textContent = value;
    }
  }
}

// What a lab says is content in English; what this page says is in the page's own language.
function say(text, language) {
  said.lang = language;
  said.textContent = text;
}

async function follow() {
  try {
    const answer = await fetch(`${live.dataset.events}?after=${after}`, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(String(answer.status));
    const { state: now, open, last, events } = await answer.json();
    events.forEach(show);
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
  setTimeout(follow, PAUSE);
}

follow();
