// Checks in a lesson answer in place; without this script they open a page of their own.

import { limit, prepare } from "./controls.js";

for (const form of document.querySelectorAll("form.check")) {
  prepare(form);
  form.addEventListener("change", () => limit(form));
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

function show(form, result, { correct, answered, lines, experiments }) {
  result.className = `check-result tag ${correct ? "good" : "bad"}`;
  const { open, right, wrong } = form.dataset;
  result.textContent = !answered ? open : correct ? right : wrong;
  if (!answered) return;
  for (const old of form.querySelectorAll(".rationale, .experiment")) old.remove();
  for (const { letter, correct: good, expected, reason } of lines) {
    const text = document.createElement("p");
    text.className = "rationale";
    text.textContent = [good ? "✓" : "✗", expected && `${expected}.`, reason].filter(Boolean).join(" ");
    form.querySelector(`[data-letter="${letter}"]`).append(text);
  }
  for (const address of experiments) {
    const way = document.createElement("a");
    way.className = "experiment button quiet";
    way.href = address;
    way.textContent = form.dataset.lab;
    result.after(way);
  }
}
