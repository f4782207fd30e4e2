/* The card with the map of the test digits, or a sentence where the served models don't match it. */

import { titleOf } from "../api/frameworks.js";
import { makeActions } from "../parts/actions.js";
import { element } from "../parts/elements.js";
import { BEYOND } from "./plane.js";
import { makeScatter } from "./scatter.js";

const FOREIGN = "There is no map for this model: it needs a companion file, made for this checkpoint.";

/* Return {node, show(own, space, z)}: `own` is the framework's part of the latent map, or null. */
export function makeMapCard(examples, digits, listeners) {
  let space = null;
  let source = "";
  const title = `Map of the ${examples.words}s`;
  const hint = element("p", { class: "hint" });
  const node = element("section", { class: "card map", "aria-label": "Map" }, element("h2", {}, title));
  const scatter = makeScatter(examples, digits, listeners);
  const saved = () => scatter.result({ title, unit: `by ${titleOf(space)}'s encoder`, source, name: `map-${space}` });
  const actions = scatter && makeActions(saved, "the map", ["PNG", "npy", "CSV"]);
  if (scatter) node.append(scatter.node, actions);
  node.append(hint);

  function show(own, framework, z) {
    space = framework;
    const isShown = Boolean(scatter && own);
    if (scatter) scatter.node.hidden = actions.hidden = !isShown;
    if (!isShown) {
      hint.textContent = FOREIGN;
      return;
    }
    const share = own.explained.reduce((sum, one) => sum + one) * 100;
    source = `${digits.count} ${examples.words}s as ${titleOf(space)}'s encoder places them, flattened to the two main directions ` +
      `(${share.toFixed(0)}% of the variance).`;
    scatter.show(own, z);
    hint.textContent = `${source} Point anywhere to decode that place. Click one of them, or drag the dot.${scatter.isBeyond() ? ` ${BEYOND}` : ""}`;
  }

  return { node, show };
}
