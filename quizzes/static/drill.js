// A drill's controls: steps that can be moved, and as many choices as are asked for.

import { limit, prepare } from "./controls.js";

for (const form of document.querySelectorAll("form.drill")) {
  prepare(form);
  form.addEventListener("change", () => limit(form));
}
