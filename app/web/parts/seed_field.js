/* A field for the seed of the noise, and a button for a new one. */

import { button, element } from "./elements.js";
import { term } from "./glossary.js";

const DEFAULT_SEED = "7";
const LIMIT = 2 ** 53;
const RANDOM_LIMIT = 100_000;

/* Return {node, value, set(text)}; `set(null)` restores the default seed. */
export function makeSeedField(onChange) {
  const input = element("input", {
    class: "seed", type: "number", min: 0, max: LIMIT - 1, step: 1, value: DEFAULT_SEED, "aria-label": "Seed", oninput: take,
  });
  // The last valid seed: the field may hold an incomplete one.
  let value = DEFAULT_SEED;

  function take() {
    if (!input.reportValidity() || !input.value) return;
    value = input.value;
    onChange(value);
  }

  function draw() {
    input.value = Math.floor(Math.random() * RANDOM_LIMIT);
    take();
  }

  const node = element("span", { class: "field" },
    term("seed", "Seed"), input, button("New seed", draw, { class: "quiet" }));
  return {
    node,
    get value() {
      return value;
    },
    set(text) {
      input.value = text ?? DEFAULT_SEED;
      value = input.value && input.checkValidity() ? input.value : DEFAULT_SEED;
      input.value = value;
    },
  };
}
