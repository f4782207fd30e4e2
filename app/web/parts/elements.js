/* Creates DOM elements, in one expression each. */

import { markerOf } from "../api/frameworks.js";

export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

export function button(words, onclick, attributes = {}) {
  return element("button", { type: "button", onclick, ...attributes }, words);
}

/* A select; an option is a value, or a pair of value and words. `onchange(value)` is called with the chosen value. */
export function choice(id, options, onchange) {
  const items = options.map((option) => [option].flat()).map(([value, words = value]) => element("option", { value }, words));
  const node = element("select", { id, onchange: () => onchange(node.value) }, ...items);
  return node;
}

/* A framework's marker, in its color. */
export function dot(framework) {
  return element("span", { class: "dot", "data-marker": markerOf(framework), "aria-hidden": "true" });
}

/* A control that has an id, with its label beside it. */
export function field(words, control, ...more) {
  return element("span", { class: "field" }, element("label", { for: control.id }, words), control, ...more);
}
