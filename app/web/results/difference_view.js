/* The fourth panel: where the frameworks' pictures differ, amplified, and by how much they do. */

import { amplification, differ } from "./differences.js";
import { element } from "./elements.js";
import { TITLES } from "./frameworks.js";
import { drawImages, heat, imageCanvas } from "./grids.js";
import { makeActions } from "./parts.js";
import { PIXELS } from "./pixels.js";

/* Return {node, show(images by framework, request), clear()}; `request` has the service tell them apart itself. */
export function makeDifferenceView() {
  let result = null;
  const canvas = imageCanvas("Where the frameworks' pictures differ");
  const factor = element("span", { class: "version" });
  const largest = element("dd", { class: "main" });
  const pair = element("dd", {});
  const mean = element("dd", {});
  const node = element("article", { class: "framework difference", "data-state": "waiting" },
    element("h3", {}, "Difference", factor),
    element("div", { class: "framework-body" },
      canvas,
      element("dl", { class: "figures" },
        element("dt", { class: "main" }, "largest"), largest,
        element("dt", {}, "between"), pair,
        element("dt", {}, "mean"), mean,
      ),
      makeActions(() => result, "difference"),
    ),
  );

  function clear() {
    drawImages(canvas, new Uint8Array(PIXELS));
    result = null;
    factor.textContent = "";
    for (const place of [largest, pair, mean]) place.textContent = "–";
  }

  function show(images, request) {
    const found = differ(images);
    if (!found) {
      clear();
      return;
    }
    const times = amplification(found.largest);
    drawImages(canvas, found.spread.map((value) => value * times), { colour: heat });
    result = {
      array: { shape: [1, 28, 28], data: found.spread },
      options: { colour: (value) => heat(Math.min(255, value * times)) },
      name: "difference",
      request,
    };
    factor.textContent = times === 1 ? "as it is" : `× ${times.toLocaleString("en")}`;
    largest.textContent = found.largest.toPrecision(3);
    pair.textContent = found.pair.map((name) => TITLES[name]).join(" – ");
    mean.textContent = (found.spread.reduce((sum, value) => sum + value) / found.spread.length).toPrecision(2);
    node.dataset.state = "ready";
  }

  clear();
  return { node, show, clear };
}
