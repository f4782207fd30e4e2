/* The switch between one checkpoint for all frameworks and each framework's own, with a sentence that explains it. */

import { spellCount, titleOf } from "../api/frameworks.js";
import { button, element } from "./elements.js";

const OWN = "own";

/*
 * Return {node, hint, value, spaceOf(framework), read()}. `value` is the framework whose weights all frameworks use, or null
 * if each uses its own. `spaceOf(framework)` returns the framework whose weights, and so whose latent space, it uses.
 * `read()` sets the state of a link; `onChange()` is called after a click.
 */
export function makeWeightsSwitch({ state, frameworks }, onChange) {
  const isOffered = frameworks.names.length > 1;
  let selection = null;
  const sameButton = button("Same weights", () => choose(null));
  const ownButton = button("Each its own", () => choose(OWN));
  const node = element("span", { class: "field segmented", role: "group", "aria-label": "Weights", hidden: !isOffered }, sameButton, ownButton);
  const hint = element("span", { class: "weights-hint" });
  const control = {
    node,
    hint,
    get value() {
      if (!isOffered || selection === OWN) return null;
      return selection ?? frameworks.ready[0] ?? frameworks.names[0];
    },
    spaceOf: (framework) => control.value ?? framework,
    read() {
      const linkedWeights = state.get("weights");
      selection = linkedWeights === OWN || frameworks.names.includes(linkedWeights) ? linkedWeights : null;
      show();
    },
  };

  function choose(value) {
    selection = value;
    state.set({ weights: value });
    show();
    onChange();
  }

  function show() {
    sameButton.setAttribute("aria-pressed", control.value !== null);
    ownButton.setAttribute("aria-pressed", control.value === null);
    hint.textContent = describe();
  }

  function describe() {
    const count = frameworks.active.length;
    if (count < 2) return "";
    if (control.value === null) {
      const isOneRecipe = new Set(frameworks.active.map((name) => frameworks.latentsOf(name))).size === 1;
      return isOneRecipe
        ? "The models were trained separately, from the same recipe, so they differ a little, as two people's handwriting does."
        : "The models were trained separately, and have different numbers of latents.";
    }
    return `${count === 2 ? "Both frameworks" : `All ${spellCount(count)}`} run the same weights, trained with ${titleOf(control.value)}: what still differs is rounding.`;
  }

  frameworks.subscribe(show);
  return control;
}
