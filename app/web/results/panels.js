/* A panel for each framework, in the service's order. It shows a notice while the framework isn't available. */

import { sentence } from "../api/client.js";
import { titleOf } from "../api/frameworks.js";
import { dot, element } from "../parts/elements.js";
import { makeNotice } from "../parts/notice.js";

const MESSAGES = {
  loading: (title) => `${title} is loading…`,
  failed: (title) => `${title} couldn't be loaded.`,
  unlisted: (title) => `${title} is no longer served.`,
};

// A framework that has such a status from the start needs no room for results.
const ABSENT = ["failed", "not_installed", "no_model"];

/* Return true if a result, if there is one, belongs to other weights than a query's: it must not stay when that query fails. */
export function isOfOtherWeights(result, query) {
  return ["weights", "epoch"].some((key) => result?.request.query[key] !== query[key]);
}

/*
 * Put panels into `parent`, and return them by framework. `fill(name, body)` adds a tab's own content.
 * A panel has `node`, `body` and `notice`; `data-state` of its node is ready, waiting or down.
 * `onReady(name)` is called when a framework becomes available while the panels are shown.
 */
export function makePanels(parent, frameworks, { fill, onReady }) {
  const panels = new Map();
  for (const name of frameworks.names) {
    const body = element("div", { class: "framework-body" });
    const notice = makeNotice();
    const version = element("span", { class: "version" });
    const node = element("article", { class: `framework ${name}`, "data-framework": name, "data-state": "waiting" },
      element("h3", {}, dot(name), titleOf(name), version),
      notice.node,
      body,
    );
    panels.set(name, { node, body, notice, version });
    fill(name, body);
    parent.append(node);
  }
  frameworks.subscribe(() => panels.forEach(update));

  function update(panel, name) {
    const entry = frameworks.entryOf(name);
    const previousState = panel.node.dataset.state;
    const isReady = frameworks.ready.includes(name);
    panel.node.dataset.state = isReady ? "ready" : "down";
    panel.wasReady ||= isReady;
    panel.body.hidden = !panel.wasReady && ABSENT.includes(entry?.status);
    // Without the build tag, such as "+cpu".
    panel.version.textContent = entry?.framework_version?.split("+")[0] ?? "";
    if (!isReady) {
      const message = frameworks.problem ?? MESSAGES[entry?.status ?? "unlisted"]?.(titleOf(name)) ?? sentence(entry.reason);
      panel.notice.say(message, entry?.status === "failed" && !frameworks.problem ? sentence(entry.reason) : "");
    } else if (previousState !== "ready") {
      panel.notice.clear();
      if (parent.isConnected && !parent.closest("[hidden]")) onReady(name);
    }
  }

  return panels;
}
