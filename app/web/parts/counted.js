/* Words that depend on how many frameworks compute, and follow when one fails or comes back. */

import { element } from "./elements.js";

/* Return an element with the words of `wordsOf(count)`. */
export function counted(frameworks, tag, wordsOf) {
  const node = element(tag, {});
  frameworks.changed(() => {
    node.textContent = wordsOf(frameworks.counted.length);
  });
  return node;
}
