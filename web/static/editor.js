// The editor of a text: line numbers, ways to a finding, a preview, keys, and a copy of what is not kept yet.

import { Copy, keys, previewer } from "./preview.js";

const form = document.querySelector(".studio-editor");
const text = form.elements.text;
const numbers = form.querySelector(".editor-numbers");
const place = document.querySelector("#preview-place");
const kept = text.defaultValue;
const copy = new Copy(form);
const previewSoon = previewer(form);

// A form that asks for it is told in which line the caret stands.
function tellLine() {
  const line = form.elements.line;
  if (!line) return false;
  const before = line.value;
  line.value = text.value.slice(0, text.selectionStart).split("\n").length;
  return line.value !== before;
}

function count() {
  const lines = text.value.split("\n").length;
  numbers.textContent = Array.from({ length: lines }, (_, index) => index + 1).join("\n");
  numbers.scrollTop = text.scrollTop;
}

function changed() {
  copy.keep(text.value === kept ? null : text.value);
  count();
  tellLine();
  previewSoon();
}

function go(line, column) {
  const before = text.value.split("\n").slice(0, line - 1);
  const start = before.join("\n").length + (before.length ? 1 : 0) + column - 1;
  text.focus();
  text.setSelectionRange(start, start);
}

copy.settle(kept);
copy.offer(
  kept,
  (found, note) => {
    text.value = found;
    note.hidden = true;
    text.focus();
    changed();
  },
  text,
);

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
keys(form);
