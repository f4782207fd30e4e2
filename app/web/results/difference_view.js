/* The last panel: where the frameworks' pictures differ, amplified, and by how much. */

import { describeAmplification, differ } from "./differences.js";
import { element } from "../parts/elements.js";
import { titleOf } from "../api/frameworks.js";
import { clearImage, drawImages, heat, imageCanvas } from "./grids.js";
import { makeActions } from "../parts/actions.js";
import { imageSize } from "../drawing/pixels.js";

/* Return {node, show(images, request), clear()}: images by framework, and the request that compares them in the service. */
export function makeDifferenceView() {
  let result = null;
  const canvas = imageCanvas("Where the frameworks' pictures differ");
  const factorCell = element("dd");
  const largestCell = element("dd", { class: "main" });
  const pairCell = element("dd");
  const meanCell = element("dd");
  const node = element("article", { class: "framework difference", "data-state": "waiting" },
    element("h3", {}, "Difference"),
    element("div", { class: "framework-body" },
      canvas,
      element("dl", { class: "figures" },
        element("dt", { class: "main", title: "Largest difference of a pixel" }, "Largest"), largestCell,
        element("dt", {}, "Amplified"), factorCell,
        element("dt", {}, "Between"), pairCell,
        element("dt", {}, "Average"), meanCell,
      ),
      makeActions(() => result, "difference"),
    ),
  );

  function clear() {
    clearImage(canvas);
    result = null;
    for (const cell of [largestCell, factorCell, pairCell, meanCell]) cell.textContent = "–";
  }

  function show(images, request) {
    const difference = differ(images);
    if (!difference) {
      clear();
      return;
    }
    const { spread, largest, pair, factor } = difference;
    drawImages(canvas, spread.map((value) => value * factor), { color: heat });
    result = {
      array: { shape: [1, imageSize.height, imageSize.width], data: spread },
      options: { color: (value) => heat(Math.min(255, value * factor)) },
      name: "difference",
      request,
    };
    factorCell.textContent = largest > 0 && factor === 1 ? "no" : describeAmplification(largest);
    largestCell.textContent = largest.toPrecision(3);
    pairCell.textContent = pair.map(titleOf).join(" – ");
    meanCell.textContent = (spread.reduce((sum, value) => sum + value) / spread.length).toPrecision(2);
    node.dataset.state = "ready";
  }

  clear();
  return { node, show, clear };
}
