/* A sentence beside the part of the page that failed, announced to screen readers. */

import { isOvertaken } from "../api/client.js";
import { element } from "./elements.js";

/*
 * Return {node, say(sentence, details), clear(), explain(error)}. `details`, the service's own words, are folded away.
 * `explain` ignores overtaken requests.
 */
export function makeNotice() {
  const node = element("div", { class: "notice", role: "status", hidden: true });
  let shownText = "";
  const say = (sentence, details = "") => {
    node.hidden = !sentence;
    // Setting the same text again would announce it again.
    if (shownText === sentence + details) return;
    shownText = sentence + details;
    node.replaceChildren(sentence);
    if (details && details !== sentence) {
      node.append(element("details", {}, element("summary", {}, "Why?"), details));
    }
  };
  return {
    node,
    say,
    clear: () => say(""),
    explain(error) {
      if (isOvertaken(error)) return;
      say(error.message, error.details);
      if (error.status === undefined) throw error;
    },
  };
}
