// Follows what is being built and sent: asks for the numbers every two seconds until nothing is under way.

const said = document.getElementById("said");
const PAUSE = 2000;
const TAGS = { done: "tag good", missed: "tag bad" };

const find = (name, key) => document.querySelector(`[data-${name}="${key}"]`);

function showTally({ occasion, counts, segments }) {
  for (const [state, count] of Object.entries(counts)) {
    const cell = find("count", `${occasion}/${state}`);
    if (cell && cell.textContent !== String(count)) cell.textContent = count;
  }
  for (const { state, start, width } of segments) {
    const bar = find("bar", `${occasion}/${state}`);
    bar?.setAttribute("x", start);
    bar?.setAttribute("width", width);
  }
}

function showIssue({ month, state, name, build, mails }) {
  const tag = find("run", month);
  if (!tag) return;
  tag.textContent = name;
  tag.className = TAGS[state] ?? "tag mark";
  showBar(find("bar-of", `build/${month}`), build);
  showBar(find("bar-of", `mails/${month}`), mails);
}

function showBar(place, part) {
  place.hidden = !part;
  if (!part) return;
  place.querySelector("progress").value = part.share;
  place.querySelector("span").textContent = part.words;
}

async function follow() {
  try {
    const answer = await fetch(said.dataset.progress, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(String(answer.status));
    const { going, tallies, issues } = await answer.json();
    tallies.forEach(showTally);
    issues.forEach(showIssue);
    if (!going) {
      said.textContent = said.dataset.done;
      return;
    }
  } catch {
    said.textContent = said.dataset.away;
  }
  setTimeout(next, PAUSE);
}

// A page that nobody sees asks nothing.
function next() {
  if (document.hidden) document.addEventListener("visibilitychange", next, { once: true });
  else follow();
}

follow();
