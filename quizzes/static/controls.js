// What an item is answered with: reads an answer from its controls, shows one in them, and lets steps be moved.

const kinds = {
  choice: {
    read: (item) => inputs(item).filter((input) => input.checked).map((input) => input.value).sort().join(""),
    show(item, answer) {
      for (const input of inputs(item)) input.checked = answer.includes(input.value);
      limit(item);
    },
  },
  ordering: {
    read: (item) => placed(item).map((select) => select.dataset.letter).join(""),
    show(item, answer) {
      for (const select of selects(item)) select.value = String(answer.indexOf(select.dataset.letter) + 1 || "");
      arrange(item);
    },
  },
  matching: {
    read: (item) =>
      selects(item)
        .filter((select) => select.value)
        .map((select) => select.dataset.letter + select.value)
        .sort()
        .join(""),
    show(item, answer) {
      for (const select of selects(item)) {
        const at = answer.indexOf(select.dataset.letter);
        select.value = at < 0 ? "" : answer[at + 1];
      }
    },
  },
};
const typed = {
  read: (item) => field(item).value.trim(),
  show: (item, answer) => (field(item).value = answer),
};

// The inputs of a choice, in the order in which they stand.
export function inputs(item) {
  return [...item.querySelectorAll(".options input")];
}

export function read(item) {
  return (kinds[item.dataset.kind] ?? typed).read(item);
}

export function show(item, answer) {
  (kinds[item.dataset.kind] ?? typed).show(item, answer);
}

// Prepare an item's controls; a move of a step is told by a "change" event, as a click on an option is.
export function prepare(item) {
  if (item.dataset.kind === "ordering") becomeListbox(item);
  limit(item);
}

// A question that asks for two takes two: the other boxes rest until one is cleared.
export function limit(item) {
  const wanted = Number(item.dataset.choose);
  if (item.dataset.kind !== "choice" || wanted === 1) return;
  const count = read(item).length;
  const resting = inputs(item).filter((input) => count >= wanted && !input.checked);
  // A box that rests would take the focus with it.
  if (resting.includes(document.activeElement)) inputs(item).find((input) => input.checked).focus();
  for (const input of inputs(item)) input.disabled = resting.includes(input);
  help(item).textContent = item.closest("[data-chosen]").dataset.chosen.replace("{count}", count).replace("{wanted}", wanted);
}

function selects(item) {
  return [...item.querySelectorAll("select[data-letter]")];
}

function placed(item) {
  return selects(item)
    .filter((select) => select.value)
    .sort((one, other) => one.value - other.value);
}

function field(item) {
  return item.querySelector(".typed input");
}

function help(item) {
  return item.querySelector("[data-help]");
}

function list(item) {
  return item.querySelector(".ordering");
}

function steps(item) {
  return [...list(item).children];
}

// The pattern of a list whose options can be rearranged: arrows choose one, Alt with an arrow or a button moves it.
function becomeListbox(item) {
  const box = list(item);
  box.setAttribute("role", "listbox");
  box.setAttribute("aria-label", box.dataset.label);
  box.tabIndex = 0;
  for (const step of steps(item)) {
    step.id = `${item.id || "step"}-${step.dataset.letter}`;
    step.setAttribute("role", "option");
    step.querySelector("label").hidden = true;
  }
  for (const part of item.querySelectorAll(".ordering-moves")) part.hidden = false;
  box.addEventListener("click", (event) => choose(item, event.target.closest("li")));
  box.addEventListener("keydown", (event) => press(item, event));
  for (const button of item.querySelectorAll("[data-move]")) {
    button.addEventListener("click", () => move(item, Number(button.dataset.move)));
  }
  arrange(item);
  choose(item, steps(item)[0]);
}

function chosen(item) {
  return list(item).querySelector('[aria-selected="true"]') ?? steps(item)[0];
}

function choose(item, step) {
  if (!step) return;
  for (const one of steps(item)) one.setAttribute("aria-selected", String(one === step));
  list(item).setAttribute("aria-activedescendant", step.id);
  tell(item);
}

function press(item, event) {
  const all = steps(item);
  const at = all.indexOf(chosen(item));
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (step && event.altKey) move(item, step);
  else if (step) choose(item, all[at + step]);
  else if (event.key === "Home") choose(item, all[0]);
  else if (event.key === "End") choose(item, all.at(-1));
  else return;
  event.preventDefault();
}

// Move the chosen step; moving it by nothing keeps the order as it stands, which makes it the answer.
function move(item, by) {
  const all = steps(item);
  const at = all.indexOf(chosen(item));
  if (by < 0 && at > 0) all[at - 1].before(all[at]);
  if (by > 0 && at < all.length - 1) all[at + 1].after(all[at]);
  steps(item).forEach((step, index) => (step.querySelector("select").value = String(index + 1)));
  list(item).dispatchEvent(new Event("change", { bubbles: true }));
  tell(item);
}

// Put the steps into the order that their places give; those without a place follow.
function arrange(item) {
  const place = (step) => Number(step.querySelector("select").value) || Infinity;
  const sorted = steps(item).sort((one, other) => (place(one) === place(other) ? 0 : place(one) - place(other)));
  list(item).append(...sorted);
  tell(item);
}

function tell(item) {
  const box = list(item);
  if (box.getAttribute("role") !== "listbox") return;
  const all = steps(item);
  const given = box.dataset.placeGiven
    .replace("{place}", all.indexOf(chosen(item)) + 1)
    .replace("{total}", all.length);
  help(item).textContent = placed(item).length < all.length ? box.dataset.open : given;
}
