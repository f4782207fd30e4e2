/* Makes elements of the document, in one expression each. */

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

/* A control, which has an id, with its label beside it. */
export function field(words, control, ...more) {
  return element("span", { class: "field" }, element("label", { for: control.id }, words), control, ...more);
}
