/* The button that unfolds figures and buttons where screens are small; the style sheets fold them away. */

import { button } from "./elements.js";

export function makeDetailsButton(panel) {
  const node = button("Details", () => {
    const isOpen = panel.dataset.details !== "true";
    panel.dataset.details = isOpen;
    node.setAttribute("aria-pressed", String(isOpen));
  }, { class: "quiet details-button", "aria-pressed": "false" });
  return node;
}
