/* A field for the seed of the noise, and a button for another one. */

import { element } from "./elements.js";

const FIRST = "7";
const BELOW = 2 ** 53;
const DRAWN_BELOW = 100_000;

let made = 0;

/* Return {node, value, set(text)}; `set(null)` sets the seed that there is at first. */
export function makeSeedField(onChange) {
  const id = `seed-${(made += 1)}`;
  const input = element("input", { id, class: "seed", type: "number", min: 0, max: BELOW - 1, step: 1, value: FIRST });
  const draw = () => {
    input.value = Math.floor(Math.random() * DRAWN_BELOW);
    onChange(input.value);
  };
  input.addEventListener("input", () => input.reportValidity() && input.value && onChange(input.value));
  const node = element("span", { class: "row seed-field" },
    element("label", { for: id }, "Seed"), input,
    element("button", { type: "button", class: "quiet", onclick: draw }, "Another"));
  return {
    node,
    get value() {
      return input.checkValidity() && input.value ? input.value : FIRST;
    },
    set(text) {
      input.value = text ?? FIRST;
    },
  };
}
