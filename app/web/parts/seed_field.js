/* A field for the seed of the noise, and a button for another one. */

import { button, element, field } from "./elements.js";

const FIRST = "7";
const BELOW = 2 ** 53;
const DRAWN_BELOW = 100_000;

let made = 0;

/* Return {node, value, set(text)}; `set(null)` sets the seed that there is at first. */
export function makeSeedField(onChange) {
  const id = `seed-${(made += 1)}`;
  const input = element("input", { id, class: "seed", type: "number", min: 0, max: BELOW - 1, step: 1, value: FIRST });
  // The last one that was valid: what the field has may be half written.
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
  const node = field("Seed", input, button("Another", draw, { class: "quiet" }));
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
