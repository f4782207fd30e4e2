/* A row of example images to choose from, a few at a time. */

import { imageSize } from "./pixels.js";
import { button, element } from "../parts/elements.js";
import { drawImages } from "../results/grids.js";

/* Return {node, mark(index)}; `onPick(index, image)` is called with the chosen one, `examples` are those of `examples.js`; `mark(null)` marks none. */
export function makeDigitStrip(examples, onPick, { shown = 12 } = {}) {
  const list = element("div", { class: "digits", role: "group", "aria-label": "Examples" });
  const turner = (words, label, step) => button(words, () => turn(step), { class: "quiet", "aria-label": label });
  const node = element("div", { class: "digit-strip" },
    turner("‹", "Previous examples", -shown), list, turner("›", "Next examples", shown));
  let first = 0;
  let marked = null;

  async function fill() {
    const few = await examples.loadFirst();
    const digits = first + shown <= few.count ? few : await examples.loadAll();
    list.replaceChildren(
      ...Array.from({ length: Math.max(0, Math.min(shown, digits.count - first)) }, (_, place) => {
        const index = first + place;
        const canvas = element("canvas", { class: "pixels", width: imageSize.width, height: imageSize.height, "aria-hidden": "true" });
        drawImages(canvas, digits.image(index));
        return button(canvas, () => onPick(index, digits.image(index)), {
          "aria-label": nameOf(examples, digits, index),
          "aria-pressed": String(index === marked),
          "data-index": index,
        });
      }),
    );
  }

  async function turn(step) {
    const { count } = await examples.loadAll();
    if (count === 0) return;
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

/* The example of an index, or the first if there is none of it; null if there are no examples. */
export async function loadExample(examples, index) {
  const few = await examples.loadFirst();
  const images = index < few.count ? few : await examples.loadAll();
  return images.image(Number.isInteger(index) && index >= 0 && index < images.count ? index : 0);
}

/* "Test digit 3, a 7". */
export function nameOf(examples, { labels }, index) {
  const words = `${examples.words[0].toUpperCase()}${examples.words.slice(1)} ${index}`;
  return labels ? `${words}, a ${labels[index]}` : words;
}
