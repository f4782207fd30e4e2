/* A panel for each framework, in one order and with one colour, which says itself when its framework doesn't answer. */

import { sentence } from "./client.js";
import { dot, element } from "./elements.js";
import { TITLES } from "./frameworks.js";
import { makeNotice } from "./parts.js";

/*
 * Put panels into `parent`, and return {of(name), each(callback)}. `fill(name, body)` puts a tab's own content in.
 * A panel has `node`, `body` and `notice` (see `parts.js`); `data-state` on its node is ready, waiting or down.
 * `onReady(name)` is called when a framework begins to answer, at first or again, while the panels are shown.
 */
export function makePanels(parent, frameworks, { fill, onReady }) {
  const panels = new Map();
  for (const [name, title] of Object.entries(TITLES)) {
    const body = element("div", { class: "framework-body" });
    const notice = makeNotice();
    const version = element("span", { class: "version" });
    const node = element("article", { class: `framework ${name}`, "data-framework": name, "data-state": "waiting" },
      element("h3", {}, dot(), title, version),
      notice.node,
      body,
    );
    panels.set(name, { node, body, notice, version });
    fill(name, body);
    parent.append(node);
  }
  frameworks.changed(() => {
    for (const [name, panel] of panels) {
      const one = frameworks.of(name);
      // Not known yet, or not among those that this server is to load.
      panel.node.hidden = frameworks.list.length > 0 && !one;
      const was = panel.node.dataset.state;
      const state = frameworks.ready.includes(name) ? "ready" : one || frameworks.problem ? "down" : "waiting";
      panel.node.dataset.state = state;
      // Without what it was built for.
      panel.version.textContent = one?.framework_version?.split("+")[0] ?? "";
      const reason = one?.reason?.replace(new RegExp(`^${name}\\b`), TITLES[name]) ?? "it doesn't answer";
      if (state === "down") panel.notice.say(frameworks.problem ?? sentence(reason));
      if (state === "ready" && was !== "ready") {
        panel.notice.clear();
        if (!parent.closest("[hidden]")) onReady(name);
      }
    }
  });
  return {
    of: (name) => panels.get(name),
    each: (callback) => panels.forEach((panel, name) => callback(name, panel)),
  };
}
