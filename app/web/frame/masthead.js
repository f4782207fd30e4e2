/* The top of the page: how each framework is, what keeps the service from answering, and the field for its key. */

import { keyNeeded } from "./client.js";
import { dot, element } from "./elements.js";
import { TITLES } from "./frameworks.js";
import { makeNotice } from "./parts.js";

const STATES = { ready: "ready", loading: "loading", failed: "down", not_installed: "not installed" };

export function showFrameworks(list, notices, frameworks) {
  const notice = makeNotice();
  notices.append(notice.node);
  frameworks.changed(() => {
    list.replaceChildren(...frameworks.list.map((one) => chip(one, frameworks.problem)));
    // Of a missing key there is a form that says so.
    notice.say(frameworks.needsKey ? "" : frameworks.problem ?? "");
  });
}

function chip(one, problem) {
  const state = problem ? "unknown" : STATES[one.status];
  const about = one.ready ? `${one.framework_version} on ${one.device}` : one.reason;
  return element("li", { class: `chip ${one.framework}`, "data-state": state, title: about ?? "" },
    dot(),
    TITLES[one.framework],
    element("span", { class: "chip-state" }, state),
  );
}

export function showKeyForm(notices, frameworks, onKey) {
  const input = element("input", {
    id: "api-key", type: "password", autocomplete: "off", required: true, spellcheck: "false",
  });
  const label = element("label", { for: "api-key" });
  const form = element("form", { class: "notice row key-form", hidden: true },
    label,
    input,
    element("button", { type: "submit" }, "Use it"),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    onKey(input.value.trim());
  });
  notices.append(form);
  keyNeeded((wasSent) => {
    label.textContent = wasSent
      ? "The server refused that API key. Another one:"
      : "This server asks for an API key. It is kept until this tab is closed:";
    if (!form.hidden) return;
    form.hidden = false;
    input.focus();
  });
  frameworks.changed(() => {
    if (!frameworks.problem) form.hidden = true;
  });
}
