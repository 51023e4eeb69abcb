// The editor: a preview drawn by the server, line numbers, ways to a finding, keys, and a copy of what is not kept yet.

const PAUSE = 300;
const form = document.querySelector(".studio-editor");
const text = form.elements.text;
const numbers = form.querySelector(".editor-numbers");
const state = form.querySelector(".editor-state");
const place = document.querySelector("#preview-place");
const reader = document.querySelector("meta[name=reader]")?.content;
let key = `studio:${reader}:${form.dataset.key}`;
const kept = text.defaultValue;
let timer;
let asked;

function store(value) {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // A browser that keeps nothing still has the page.
  }
}

function stored() {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

// A form that asks for it is told in which line the caret stands.
function tellLine() {
  const line = form.elements.line;
  if (!line) return false;
  const before = line.value;
  line.value = text.value.slice(0, text.selectionStart).split("\n").length;
  return line.value !== before;
}

// A request for a document parses markup without running anything of it, and needs no exception from the policy.
function preview() {
  asked?.abort();
  asked = new XMLHttpRequest();
  asked.open("POST", form.dataset.preview);
  asked.responseType = "document";
  const request = asked;
  request.onload = () => {
    const drawn = request.status === 200 && request.response?.querySelector("#preview");
    if (drawn) place.replaceChildren(document.adoptNode(drawn));
    state.textContent = drawn ? "" : state.dataset.failed;
  };
  request.onerror = () => {
    state.textContent = state.dataset.failed;
  };
  request.send(new FormData(form));
}

function count() {
  const lines = text.value.split("\n").length;
  numbers.textContent = Array.from({ length: lines }, (_, index) => index + 1).join("\n");
  numbers.scrollTop = text.scrollTop;
}

function changed() {
  store(text.value === kept ? null : text.value);
  count();
  tellLine();
  previewSoon();
}

function previewSoon() {
  clearTimeout(timer);
  timer = setTimeout(preview, PAUSE);
}

function go(line, column) {
  const before = text.value.split("\n").slice(0, line - 1);
  const start = before.join("\n").length + (before.length ? 1 : 0) + column - 1;
  text.focus();
  text.setSelectionRange(start, start);
}

// What the server shows as kept needs no copy here; after a first save it was copied under the form for a new item.
function settle() {
  if (form.dataset.unkept) return;
  const before = key;
  for (const name of [before, `studio:${reader}:${form.dataset.first}`]) {
    key = name;
    if (stored()?.trim() === kept.trim()) store(null);
  }
  key = before;
}

settle();
const found = stored();
if (found !== null && found !== kept) {
  const note = form.querySelector(".editor-kept");
  note.hidden = false;
  note.querySelector("[data-restore]").addEventListener("click", () => {
    text.value = found;
    note.hidden = true;
    text.focus();
    changed();
  });
  note.querySelector("[data-forget]").addEventListener("click", () => {
    store(null);
    note.hidden = true;
    text.focus();
  });
}

numbers.hidden = false;
numbers.style.blockSize = `${text.offsetHeight}px`;
count();
text.addEventListener("input", changed);
text.addEventListener("scroll", () => {
  numbers.scrollTop = text.scrollTop;
});
document.addEventListener("selectionchange", () => {
  if (document.activeElement === text && tellLine()) previewSoon();
});
place.addEventListener("click", (event) => {
  const link = event.target.closest("[data-line]");
  if (!link) return;
  event.preventDefault();
  go(Number(link.dataset.line), Number(link.dataset.column));
});
document.addEventListener("keydown", (event) => {
  if (!event.ctrlKey && !event.metaKey) return;
  const action = { s: "save", Enter: "ask" }[event.key];
  const button = action && form.querySelector(`[value=${action}]`);
  if (!button) return;
  event.preventDefault();
  form.requestSubmit(button);
});
