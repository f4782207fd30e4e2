/* The figures of one reconstruction: ELBO and its parts in nats, times in milliseconds. */

import { element } from "../parts/elements.js";
import { term } from "../parts/glossary.js";

const FIGURES = [
  ["elbo", () => [term("elbo", "ELBO"), element("span", { class: "more" }, " (", term("nats", "nats"), element("span", { class: "most" }, ", higher is better"), ")")], "main"],
  ["log_likelihood", () => [term("log_likelihood", "Log-likelihood")]],
  ["kl_divergence", () => [term("kl_divergence", "KL divergence")]],
  ["model", () => [term("model_time", "Model time"), element("span", { class: "more" }, ", ms")]],
  ["roundTrip", () => [term("round_trip", "Round trip"), element("span", { class: "more" }, ", ms")]],
];

/* Return {node, values}: a list of figures, and the element of each value by the figure's name. */
export function makeFigures() {
  const values = new Map();
  const node = element("dl", { class: "figures" });
  for (const [name, makeLabel, className = ""] of FIGURES) {
    const value = element("dd", { class: className }, "–");
    values.set(name, value);
    node.append(element("dt", { class: className }, ...makeLabel()), value);
  }
  return { node, values };
}
