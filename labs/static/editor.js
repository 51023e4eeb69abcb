// Makes a text area an editor: line numbers, colours, and the lines that the server found at fault.
// The text area stays what one types into; a copy of its text lies behind it, line by line, and is what one sees.
// Tab is left alone, so that the keyboard is never trapped.

const STRING = /"(?:[^"\\\n]|\\.)*"?/;
const NUMBER = /-?\b\d+(?:\.\d+)?(?:e[+-]?\d+)?\b/;
const WORDS =
  "all and any as asc between by case cast count create cross delete desc distinct else end except exists false from " +
  "full group having in inner insert intersect into is join left like limit not null offset on or order outer over " +
  "partition right select set sum table then true union update using values when where with";
const TOKENS = {
  json: { name: /"(?:[^"\\\n]|\\.)*"(?=\s*:)/, string: STRING, number: NUMBER, word: /\b(?:true|false|null)\b/ },
  sql: {
    comment: /--[^\n]*|\/\*[^]*?(?:\*\/|$)/,
    string: /'(?:[^']|'')*'?/,
    name: STRING,
    number: NUMBER,
    word: new RegExp(`\\b(?:${WORDS.replaceAll(" ", "|")})\\b`, "i"),
  },
};
TOKENS.asl = TOKENS.json;

// Yield [kind, text] for all of the text; what is no token has no kind.
function* tokens(text, kinds) {
  const groups = Object.entries(kinds).map(([kind, { source }]) => `(?<${kind}>${source})`);
  const pattern = new RegExp(groups.join("|"), kinds.word.flags + "g");
  let end = 0;
  for (const found of text.matchAll(pattern)) {
    yield ["", text.slice(end, found.index)];
    yield [Object.keys(kinds).find((kind) => found.groups[kind] !== undefined), found[0]];
    end = found.index + found[0].length;
  }
  yield ["", text.slice(end)];
}

// Return the lines, each as its tokens; a token over several lines has a piece in each.
function split(text, kinds) {
  const lines = [[]];
  for (const [kind, words] of tokens(text, kinds)) {
    words.split("\n").forEach((piece, place) => {
      if (place) lines.push([]);
      if (piece) lines.at(-1).push([kind, piece]);
    });
  }
  return lines;
}

function drawn(line) {
  const row = document.createElement("span");
  for (const [kind, text] of line) {
    const piece = document.createElement("span");
    if (kind) piece.className = `code-${kind}`;
    piece.textContent = text;
    row.append(piece);
  }
  return row;
}

function edit(editor) {
  const area = editor.querySelector("textarea");
  const copy = document.createElement("div");
  copy.className = "editor-copy";
  copy.ariaHidden = "true";
  const rows = document.createElement("div");
  copy.append(rows);
  area.before(copy);
  editor.classList.add("live");
  let keys = [];

  // Only lines that changed are drawn anew: a key in a long text moves one of them.
  function draw() {
    const lines = split(area.value, TOKENS[editor.dataset.language]);
    const fresh = lines.map((line) => JSON.stringify(line));
    const least = Math.min(fresh.length, keys.length);
    let head = 0;
    while (head < least && fresh[head] === keys[head]) head += 1;
    let tail = 0;
    while (tail < least - head && fresh.at(-1 - tail) === keys.at(-1 - tail)) tail += 1;
    for (let gone = keys.length - head - tail; gone > 0; gone -= 1) rows.children[head].remove();
    const after = rows.children[head] ?? null;
    lines.slice(head, lines.length - tail).forEach((line) => rows.insertBefore(drawn(line), after));
    keys = fresh;
    editor.style.setProperty("--digits", String(lines.length).length);
    follow();
  }

  // Moved, not scrolled: the copy has no scroll bars, so it could not be scrolled as far.
  function follow() {
    rows.style.translate = `${-area.scrollLeft}px ${-area.scrollTop}px`;
  }

  function go(line, column) {
    const lines = area.value.split("\n").slice(0, line - 1);
    const place = lines.reduce((sum, one) => sum + one.length + 1, 0) + column - 1;
    area.focus();
    area.setSelectionRange(place, place);
    area.scrollTop = (line - 4) * Number.parseFloat(getComputedStyle(area).lineHeight);
  }

  draw();
  for (const line of editor.dataset.lines.split(" ").filter(Boolean)) rows.children[line - 1]?.classList.add("wrong");
  area.addEventListener("input", draw);
  area.addEventListener("scroll", follow);
  for (const link of document.querySelectorAll(`a[href="#${area.id}"][data-line]`)) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      go(Number(link.dataset.line), Number(link.dataset.column));
    });
  }
}

document.querySelectorAll(".editor").forEach(edit);
