// Definitions of terms: Escape puts one away without moving the pointer or the focus (WCAG 2.2, 1.4.13).

for (const term of document.querySelectorAll(".explained")) {
  const show = () => term.classList.remove("dismissed");
  term.addEventListener("pointerenter", show);
  term.addEventListener("focusin", show);
}

addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const term of document.querySelectorAll(".explained:hover, .explained:focus-within")) {
    term.classList.add("dismissed");
  }
});
