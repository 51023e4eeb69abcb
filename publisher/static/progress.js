// Follows what is being sent: asks for the numbers every two seconds until nothing is left to send.

const place = document.getElementById("deliveries");
const said = document.getElementById("said");
const PAUSE = 2000;

const find = (name, occasion, state) => place.querySelector(`[data-${name}="${occasion}/${state}"]`);

function show({ occasion, counts, segments }) {
  for (const [state, count] of Object.entries(counts)) {
    const cell = find("count", occasion, state);
    if (cell && cell.textContent !== String(count)) cell.textContent = count;
  }
  for (const { state, start, width } of segments) {
    const bar = find("bar", occasion, state);
    bar?.setAttribute("x", start);
    bar?.setAttribute("width", width);
  }
}

async function follow() {
  try {
    const answer = await fetch(place.dataset.progress, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(String(answer.status));
    const { going, tallies } = await answer.json();
    tallies.forEach(show);
    if (!going) {
      said.textContent = place.dataset.done;
      return;
    }
  } catch {
    said.textContent = place.dataset.away;
  }
  setTimeout(next, PAUSE);
}

// A page that nobody sees asks nothing.
function next() {
  if (document.hidden) document.addEventListener("visibilitychange", next, { once: true });
  else follow();
}

if (place) follow();
