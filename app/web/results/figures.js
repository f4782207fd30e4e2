/* The figures of one reconstruction: ELBO and its parts in nats, times in milliseconds. */

import { element } from "../parts/elements.js";
import { term } from "../parts/glossary.js";

const FIGURES = [
  ["elbo", () => [term("elbo", "ELBO"), element("span", { class: "more" }, " (", term("nats", "nats"), element("span", { class: "most" }, ", higher is better"), ")")], "main"],
  ["log_likelihood", () => [term("log_likelihood", "Log-likelihood")]],
  ["kl_divergence", () => [term("kl_divergence", "KL divergence")]],
  ["model", () => [term("model_time", "Model time"), element("span", { class: "more" }, ", ms")]],
  ["all", () => [term("round_trip", "Round trip"), element("span", { class: "more" }, ", ms")]],
];

/* Return {node, values}: a list of figures, and the element of each by its name. */
export function makeFigures() {
  const values = new Map();
  const node = element("dl", { class: "figures" });
  for (const [key, words, kind] of FIGURES) {
    const value = element("dd", { class: kind ?? "" }, "–");
    values.set(key, value);
    node.append(element("dt", { class: kind ?? "" }, ...words()), value);
  }
  return { node, values };
}
