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

export function button(label, onclick, attributes = {}) {
  return element("button", { type: "button", onclick, ...attributes }, label);
}

/* A select; an option is a value, or a pair of value and label. `onchange(value)` is called with the chosen value. */
export function choice(id, options, onchange) {
  const items = options.map((option) => [option].flat()).map(([value, label = value]) => element("option", { value }, label));
  return element("select", { id, onchange: ({ target }) => onchange(target.value) }, ...items);
}

/* A framework's marker, in its color. */
export function dot(framework) {
  return element("span", { class: "dot", "data-marker": markerOf(framework), "aria-hidden": "true" });
}

/* A part of a tab, with its label for screen readers. */
export function section(className, label, ...children) {
  return element("section", { class: className, "aria-label": label }, ...children);
}

/* The first row of a section: its heading, and controls at the right. */
export function headRow(...children) {
  return element("div", { class: "row head" }, ...children);
}

/* A control that has an id, with its label beside it. */
export function field(label, control) {
  return element("span", { class: "field" }, element("label", { for: control.id }, label), control);
}
