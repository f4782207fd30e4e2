/* A field for the seed of the noise, and a button for a new one. */

import { button, element } from "./elements.js";
import { term } from "./glossary.js";

const FIRST = "7";
const BELOW = 2 ** 53;
const DRAWN_BELOW = 100_000;

/* Return {node, value, set(text)}; `set(null)` restores the first seed. */
export function makeSeedField(onChange) {
  const input = element("input", {
    class: "seed", type: "number", min: 0, max: BELOW - 1, step: 1, value: FIRST, "aria-label": "Seed",
  });
  // The last valid seed: the field may hold one that is half typed.
  let value = FIRST;
  const take = () => {
    if (!input.reportValidity() || !input.value) return;
    value = input.value;
    onChange(value);
  };
  const draw = () => {
    input.value = Math.floor(Math.random() * DRAWN_BELOW);
    take();
  };
  input.addEventListener("input", take);
  const node = element("span", { class: "field" },
    term("seed", "Seed"), input, button("New seed", draw, { class: "quiet" }));
  return {
    node,
    get value() {
      return value;
    },
    set(text) {
      input.value = text ?? FIRST;
      value = input.value && input.checkValidity() ? input.value : FIRST;
      input.value = value;
    },
  };
}
