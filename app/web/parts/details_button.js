/* The button that unfolds figures and buttons where screens are small; the style sheets fold them away. */

import { button } from "./elements.js";

export function makeDetailsButton(panel) {
  const node = button("Details", () => {
    node.setAttribute("aria-pressed", panel.toggleAttribute("data-details"));
  }, { class: "quiet details-button", "aria-pressed": "false" });
  return node;
}
