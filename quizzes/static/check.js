// Checks in a lesson answer in place; without this script they open a page of their own.

for (const form of document.querySelectorAll("form.check")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const result = form.querySelector(".check-result");
    try {
      const answer = await fetch(form.action, {
        method: "POST",
        headers: { Accept: "application/json" },
        body: new URLSearchParams(new FormData(form)),
      });
      if (!answer.ok) throw new Error(String(answer.status));
      show(form, result, await answer.json());
    } catch {
      result.textContent = form.dataset.failed;
    }
  });
}

function show(form, result, { correct, answered, options }) {
  result.className = `check-result tag ${correct ? "good" : "bad"}`;
  const { open, right, wrong } = form.dataset;
  result.textContent = !answered ? open : correct ? right : wrong;
  if (!answered) return;
  for (const [letter, isKey, reason] of options) {
    const row = form.querySelector(`[data-letter="${letter}"]`);
    row.querySelector(".rationale")?.remove();
    const text = document.createElement("p");
    text.className = "rationale";
    text.textContent = `${isKey ? "✓" : "✗"} ${reason}`;
    row.append(text);
  }
}
