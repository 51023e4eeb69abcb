// Definitions of terms: kept inside the window, and put away by Escape without moving the pointer or the focus
// (WCAG 2.2, 1.4.13).

function show(term) {
  term.classList.remove("dismissed");
  const tip = term.querySelector(".tip");
  tip.classList.remove("before");
  const { left, right } = tip.getBoundingClientRect();
  if (right > document.documentElement.clientWidth || left < 0) tip.classList.add("before");
}

for (const term of document.querySelectorAll(".explained")) {
  term.addEventListener("pointerenter", () => show(term));
  term.addEventListener("focusin", () => show(term));
}

addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const term of document.querySelectorAll(".explained:hover, .explained:focus-within")) {
    term.classList.add("dismissed");
  }
});
