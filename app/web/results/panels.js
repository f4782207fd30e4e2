/* A panel for each framework, in the service's order, which says itself when its framework isn't available. */

import { sentence } from "../api/client.js";
import { titleOf } from "../api/frameworks.js";
import { dot, element } from "../parts/elements.js";
import { makeNotice } from "../parts/notice.js";

const SHORT = {
  loading: (title) => `${title} is loading…`,
  failed: (title) => `${title} couldn't be loaded.`,
  unlisted: (title) => `${title} is no longer served.`,
};

// A framework with such a status at the start has nothing to show, and no room is kept for it.
const ABSENT = ["failed", "not_installed", "no_model"];

/*
 * Put panels into `parent`, and return {of(name), each(callback)}. `fill(name, body)` adds a tab's own content.
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
  frameworks.changed(() => {
    for (const [name, panel] of panels) update(name, panel);
  });

  function update(name, panel) {
    const one = frameworks.of(name);
    const was = panel.node.dataset.state;
    panel.node.dataset.state = frameworks.ready.includes(name) ? "ready" : "down";
    panel.wasReady ||= panel.node.dataset.state === "ready";
    panel.body.hidden = !panel.wasReady && ABSENT.includes(one?.status);
    // Without the build tag, such as "+cpu".
    panel.version.textContent = one?.framework_version?.split("+")[0] ?? "";
    if (panel.node.dataset.state === "down") {
      const words = frameworks.problem ?? SHORT[one?.status ?? "unlisted"]?.(titleOf(name)) ?? sentence(one.reason);
      panel.notice.say(words, one?.status === "failed" && !frameworks.problem ? sentence(one.reason) : "");
    } else if (was !== "ready") {
      panel.notice.clear();
      if (parent.isConnected && !parent.closest("[hidden]")) onReady(name);
    }
  }

  return {
    of: (name) => panels.get(name),
    each: (callback) => panels.forEach((panel, name) => callback(name, panel)),
  };
}
