/* The last panel: where the frameworks' pictures differ, amplified, and by how much. */

import { amplification, describeAmplification, differ } from "./differences.js";
import { element } from "../parts/elements.js";
import { titleOf } from "../api/frameworks.js";
import { drawImages, heat, imageCanvas } from "./grids.js";
import { makeActions } from "../parts/actions.js";
import { imageSize } from "../drawing/pixels.js";

/* Return {node, show(images by framework, request), clear()}; `request` is the request that lets the service compare. */
export function makeDifferenceView() {
  let result = null;
  const canvas = imageCanvas("Where the frameworks' pictures differ");
  const factor = element("dd", {});
  const largest = element("dd", { class: "main" });
  const pair = element("dd", {});
  const mean = element("dd", {});
  const node = element("article", { class: "framework difference", "data-state": "waiting" },
    element("h3", {}, "Difference"),
    element("div", { class: "framework-body" },
      canvas,
      element("dl", { class: "figures" },
        element("dt", { class: "main", title: "Largest difference of a pixel" }, "Largest"), largest,
        element("dt", {}, "Amplified"), factor,
        element("dt", {}, "Between"), pair,
        element("dt", {}, "Average"), mean,
      ),
      makeActions(() => result, "difference"),
    ),
  );

  function clear() {
    drawImages(canvas, new Uint8Array(imageSize.pixels));
    result = null;
    for (const place of [largest, factor, pair, mean]) place.textContent = "–";
  }

  function show(images, request) {
    const found = differ(images);
    if (!found) {
      clear();
      return;
    }
    const times = amplification(found.largest);
    drawImages(canvas, found.spread.map((value) => value * times), { color: heat });
    result = {
      array: { shape: [1, imageSize.height, imageSize.width], data: found.spread },
      options: { color: (value) => heat(Math.min(255, value * times)) },
      name: "difference",
      request,
    };
    factor.textContent = found.largest > 0 && times === 1 ? "no" : describeAmplification(found.largest);
    largest.textContent = found.largest.toPrecision(3);
    pair.textContent = found.pair.map((name) => titleOf(name)).join(" – ");
    mean.textContent = (found.spread.reduce((sum, value) => sum + value) / found.spread.length).toPrecision(2);
    node.dataset.state = "ready";
  }

  clear();
  return { node, show, clear };
}
