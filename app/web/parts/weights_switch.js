/* The switch between one checkpoint for all frameworks and each framework's own, with a sentence that explains it. */

import { spellCount, titleOf } from "../api/frameworks.js";
import { button, element } from "./elements.js";

const OWN = "own";

/*
 * Return {node, hint, value, spaceOf(framework), read()}. `value` is the framework whose weights all use, or null for each
 * its own; `spaceOf` is the framework whose weights one uses. `read()` takes the state of a link; `onChange()` follows clicks.
 */
export function makeWeightsSwitch(app, onChange) {
  const { frameworks } = app;
  const isOffered = frameworks.names.length > 1;
  let chosen = null;
  const same = button("Same weights", () => choose(null));
  const own = button("Each its own", () => choose(OWN));
  const node = element("span", { class: "field segmented", role: "group", "aria-label": "Weights", hidden: !isOffered }, same, own);
  const hint = element("span", { class: "weights-hint" });
  const control = {
    node,
    hint,
    get value() {
      if (!isOffered || chosen === OWN) return null;
      return chosen ?? frameworks.ready[0] ?? frameworks.names[0];
    },
    spaceOf: (framework) => control.value ?? framework,
    read() {
      const linked = app.state.get("weights");
      chosen = linked === OWN || frameworks.names.includes(linked) ? linked : null;
      show();
    },
  };

  function choose(value) {
    chosen = value;
    app.state.set({ weights: value });
    show();
    onChange();
  }

  function show() {
    same.setAttribute("aria-pressed", String(control.value !== null));
    own.setAttribute("aria-pressed", String(control.value === null));
    hint.textContent = describe();
  }

  function describe() {
    const count = frameworks.counted.length;
    if (count < 2) return "";
    return control.value === null
      ? "The models were trained separately, from the same recipe, so they differ a little, as two people's handwriting does."
      : `${count === 2 ? "Both frameworks" : `All ${spellCount(count)}`} run the same weights, trained with ${titleOf(control.value)}: what still differs is rounding.`;
  }

  frameworks.changed(show);
  return control;
}
