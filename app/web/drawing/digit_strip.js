/* A row of example images to choose from, a few at a time. */

import { button, element } from "../parts/elements.js";
import { drawImages, makeThumbnail } from "../results/grids.js";

/*
 * Return {node, mark(index)}; `mark(null)` marks none. `examples` are those of `examples.js`, `pageSize` is the number of
 * images in the row. `onPick(index, image)` is called for a click on an image.
 */
export function makeDigitStrip(examples, onPick, pageSize) {
  const list = element("div", { class: "digits", role: "group", "aria-label": "Examples" });
  const turnButton = (sign, label, step) => button(sign, () => turn(step), { class: "quiet", "aria-label": label });
  const node = element("div", { class: "digit-strip" },
    turnButton("‹", "Previous examples", -pageSize), list, turnButton("›", "Next examples", pageSize));
  let start = 0;
  let markedIndex = null;

  async function fill() {
    const firstDigits = await examples.loadFirst();
    const digits = start + pageSize <= firstDigits.count ? firstDigits : await examples.loadAll();
    list.replaceChildren(
      ...Array.from({ length: Math.max(0, Math.min(pageSize, digits.count - start)) }, (_, position) => {
        const index = start + position;
        const canvas = makeThumbnail();
        drawImages(canvas, digits.image(index));
        return button(canvas, () => onPick(index, digits.image(index)), {
          "aria-label": nameOf(examples, digits, index),
          "aria-pressed": String(index === markedIndex),
          "data-index": index,
        });
      }),
    );
  }

  async function turn(step) {
    const { count } = await examples.loadAll();
    if (count === 0) return;
    start = (start + step + count) % count;
    start -= start % pageSize;
    await fill();
  }

  fill();
  return {
    node,
    mark(index) {
      markedIndex = index;
      for (const child of list.children) child.setAttribute("aria-pressed", Number(child.dataset.index) === index);
      if (index !== null && (index < start || index >= start + pageSize)) turn(index - start);
    },
  };
}

/* The example at an index, or the first if there is none at that index; null if there are no examples. */
export async function loadExample(examples, index) {
  const firstImages = await examples.loadFirst();
  const images = index < firstImages.count ? firstImages : await examples.loadAll();
  return images.image(Number.isInteger(index) && index >= 0 && index < images.count ? index : 0);
}

/* "Test digit 3, a 7". */
export function nameOf(examples, { labels }, index) {
  const { exampleNoun } = examples;
  const name = `${exampleNoun[0].toUpperCase()}${exampleNoun.slice(1)} ${index}`;
  return labels ? `${name}, a ${labels[index]}` : name;
}
