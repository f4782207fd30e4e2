/* Text that depends on how many frameworks compute, and is updated when one fails or recovers. */

import { element } from "./elements.js";

/* Return an element with the text that `textOf(count)` returns. */
export function countedText(frameworks, tag, textOf) {
  const node = element(tag);
  frameworks.subscribe(() => {
    node.textContent = textOf(frameworks.active.length);
  });
  return node;
}
