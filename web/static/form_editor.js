// The form of an item: a preview, keys, and a copy of what is not kept yet, as Markdown that the text editor takes too.

import { Copy, keys, previewer } from "./preview.js";

const form = document.querySelector(".studio-editor");
const sent = form.elements.text;
const copy = new Copy(form);
const written = () => document.querySelector("#markdown").textContent;

// What was found comes with the preview, and stands above the fields and at each of them.
function showFindings() {
  const findings = document.querySelector("#preview #findings");
  document.querySelector("#findings-place").replaceChildren(findings);
  for (const place of form.querySelectorAll(".found")) {
    const own = [...findings.querySelectorAll(`[data-field="${place.dataset.field}"]`)];
    place.replaceChildren(...own.map((one) => one.querySelector("[lang]").cloneNode(true)));
    const field = document.getElementById(place.dataset.field);
    if (own.some((one) => one.dataset.kind === "bad")) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
  }
}

const previewSoon = previewer(form, () => {
  showFindings();
  copy.keep(written().trim() === sent.defaultValue.trim() ? null : written());
});

// A page that answers a button shows what was written a moment ago; any other may be older than the copy.
if (form.dataset.sent) {
  copy.keep(written());
} else {
  copy.settle(written());
  copy.offer(
    written(),
    (found) => {
      // The button that was pressed sends the text, and the server shows it as a form.
      sent.value = found;
      sent.disabled = false;
    },
    form.elements.stem,
  );
}
form.addEventListener("input", previewSoon);
keys(form);
