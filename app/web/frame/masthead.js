/* The top of the page: the state of each framework, problems of the service, and the form for its API key. */

import { keyNeeded } from "../api/client.js";
import { choice, dot, element, field } from "../parts/elements.js";
import { spellCount, titleOf } from "../api/frameworks.js";
import { makeNotice } from "../parts/notice.js";

const STATES = {
  ready: "ready", loading: "loading", failed: "down",
  not_installed: "not installed", no_model: "no such model", other_size: "other image size",
};

export function showFrameworks(list, notices, frameworks) {
  const notice = makeNotice();
  notices.append(notice.node);
  frameworks.subscribe(() => {
    list.replaceChildren(...frameworks.list.map((entry) => chip(entry, frameworks.problem)));
    // For a missing key, the form below says it.
    notice.say(frameworks.needsKey ? "" : frameworks.problem ?? frameworks.advice);
  });
}

function chip({ framework, status, ready, framework_version: version, device, reason }, problem) {
  const state = problem ? "unknown" : STATES[status];
  const tooltip = ready ? `${version} on ${device}` : reason;
  return element("li", { class: `chip ${framework}`, "data-state": state, title: tooltip ?? "" },
    dot(framework),
    titleOf(framework),
    element("span", { class: "chip-state" }, state),
  );
}

/* The choice of a model, where there is another than the one that is shown. */
export function showModels(container, frameworks) {
  let listedNames = "";
  frameworks.subscribe(() => {
    const names = frameworks.modelNames;
    const isKnown = names.includes(frameworks.modelName);
    if ((isKnown && names.length < 2) || names.join() === listedNames) return;
    listedNames = names.join();
    const select = choice("model", isKnown ? names : [["", "choose…"], ...names], (name) => {
      location.search = new URLSearchParams({ model: name });
    });
    select.value = isKnown ? frameworks.modelName : "";
    container.replaceChildren(field("Model", select));
  });
}

export function showKeyForm(notices, frameworks, onKey) {
  const input = element("input", {
    id: "api-key", type: "password", autocomplete: "off", required: true, spellcheck: "false",
  });
  const label = element("label", { for: "api-key" });
  const onsubmit = (event) => {
    event.preventDefault();
    onKey(input.value.trim());
  };
  const form = element("form", { class: "notice row key-form", hidden: true, onsubmit },
    label,
    input,
    element("button", { type: "submit" }, "Continue"),
  );
  notices.append(form);
  keyNeeded((wasSent) => {
    label.textContent = wasSent
      ? "The server rejected that API key. Try another one:"
      : "This server needs an API key (kept until you close this tab):";
    if (!form.hidden) return;
    form.hidden = false;
    input.focus();
  });
  frameworks.subscribe(() => {
    if (!frameworks.problem) form.hidden = true;
  });
}

/* "A neural network squeezes your digit ... The same network, in three frameworks: JAX, TensorFlow and PyTorch." */
export function showIntro({ noun, count }, frameworks) {
  frameworks.subscribe(() => {
    const titles = frameworks.active.map(titleOf);
    if (titles.length === 0) return;
    const titleList = new Intl.ListFormat("en").format(titles);
    noun.textContent = frameworks.takesMnist ? "digit" : "image";
    count.textContent = titles.length === 1
      ? `The framework is ${titleList}.`
      : `The same network, in ${spellCount(titles.length)}: ${titleList}.`;
  });
}
