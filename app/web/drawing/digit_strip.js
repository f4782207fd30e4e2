/* A row of digits of the test set to choose from, some at a time. */

import { loadDigits } from "./digits.js";
import { button, element } from "./elements.js";
import { drawImages } from "./grids.js";

/* Return {node, mark(index)}; `onPick(index, image)` is called with a chosen digit; `mark(null)` marks none. */
export function makeDigitStrip(onPick, { shown = 12 } = {}) {
  const list = element("div", { class: "digits", role: "group", "aria-label": "Digits of the test set" });
  const turner = (words, label, step) => button(words, () => turn(step), { class: "quiet", "aria-label": label });
  const node = element("div", { class: "digit-strip" },
    turner("‹", "Earlier digits", -shown), list, turner("›", "More digits", shown));
  let first = 0;
  let marked = null;

  async function fill() {
    const digits = await loadDigits();
    list.replaceChildren(
      ...Array.from({ length: Math.min(shown, digits.count - first) }, (_, place) => {
        const index = first + place;
        const canvas = element("canvas", { class: "pixels", width: 28, height: 28, "aria-hidden": "true" });
        drawImages(canvas, digits.image(index));
        return button(canvas, () => onPick(index, digits.image(index)), {
          "aria-label": `Test digit ${index}, a ${digits.labels[index]}`,
          "aria-pressed": String(index === marked),
          "data-index": index,
        });
      }),
    );
  }

  async function turn(step) {
    const { count } = await loadDigits();
    first = (first + step + count) % count;
    first -= first % shown;
    await fill();
  }

  fill();
  return {
    node,
    mark(index) {
      marked = index;
      for (const one of list.children) one.setAttribute("aria-pressed", String(Number(one.dataset.index) === index));
      if (index !== null && (index < first || index >= first + shown)) turn(index - first);
    },
  };
}
