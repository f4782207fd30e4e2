/* The card with the map of the test digits, or a sentence if there is no map of the served models. */

import { titleOf } from "../api/frameworks.js";
import { makeActions } from "../parts/actions.js";
import { element, section } from "../parts/elements.js";
import { BEYOND } from "./plane.js";
import { makeScatter } from "./scatter.js";

/* Why a framework's model has no map. */
export function explainNoMap(frameworks, name) {
  return frameworks.latentsOf(name) === 1
    ? "A map needs two latents."
    : "There is no map for this model: it needs a companion file, made for this checkpoint.";
}

/* Return {node, show(map, space, z)}: `map` is the framework's part of the latent map, or null. */
export function makeMapCard({ examples, frameworks }, digits, listeners) {
  let space = null;
  let source = "";
  const title = `Map of the ${examples.exampleNoun}s`;
  const hint = element("p", { class: "hint" });
  const scatter = makeScatter(examples, digits, listeners);
  const getResult = () => scatter.result({ title, unit: `by ${titleOf(space)}'s encoder`, source, name: `map-${space}` });
  const actions = makeActions(getResult, "the map", ["PNG", "npy", "CSV"]);
  const node = section("card map", "Map", element("h2", {}, title), scatter.node, actions, hint);

  function show(map, framework, z) {
    space = framework;
    scatter.node.hidden = actions.hidden = !map;
    if (!map) {
      hint.textContent = explainNoMap(frameworks, space);
      return;
    }
    const percent = map.explained.reduce((sum, share) => sum + share) * 100;
    source = `${digits.count} ${examples.exampleNoun}s as ${titleOf(space)}'s encoder places them` + (map.points.flat().some(Boolean)
      ? `, flattened to the two main directions (${percent.toFixed(0)}% of the variance).`
      : ": all at one place.");
    scatter.show(map, z);
    hint.textContent = `${source} Point anywhere to decode that place. Click one of them, or drag the dot.${scatter.isBeyond() ? ` ${BEYOND}` : ""}`;
  }

  return { node, show };
}
