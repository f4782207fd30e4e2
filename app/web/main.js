/*
 * The page's frame: builds the tabs and shows the one that the address names. It computes nothing.
 *
 * A tab is a module in `tabs/`, listed in `tabs/index.js`, which exports
 *   name    its word in the address
 *   title   the words on its tab
 *   mount   mount(panel, app): fills the panel when the tab is first shown, and returns {show(), hide()};
 *           show() reads the tab's state from the address, each time the tab or a link is opened;
 *           hide() stops everything that moves. The tab's requests in flight are cancelled for it.
 *
 * `app`, which a tab receives, has
 *   state       {get(name), set({name: value}), open(tab, values)}: the tab's part of the address (`frame/address.js`)
 *   frameworks  the service's frameworks, and which are ready (`api/frameworks.js`)
 *   examples    images to start from, and the latent map (`drawing/examples.js`)
 *   ask(...)    sends a request to a framework, in turn; throws if overtaken (`api/lanes.js`)
 *
 * Tabs import the rest where they need it: `api/` (requests, npy, curl and Python), `drawing/` (the visitor's image),
 * `results/` (a panel for each framework, images on a canvas), `latent/` (sliders, pad, map), `charts/`, `parts/`
 * (elements, notices, explanations, buttons that save and copy).
 *
 * Tabs are mounted once the frameworks are known, for nothing on the page lists them.
 */

import { setKey } from "./api/client.js";
import { Frameworks } from "./api/frameworks.js";
import { Lanes } from "./api/lanes.js";
import { makeExamples } from "./drawing/examples.js";
import { setImageShape } from "./drawing/pixels.js";
import { Address } from "./frame/address.js";
import { showFrameworks, showIntro, showKeyForm, showModels } from "./frame/masthead.js";
import { paintFrameworks } from "./frame/palette.js";
import { startTheme } from "./frame/theme.js";
import { button, element } from "./parts/elements.js";
import { tabs } from "./tabs/index.js";

const address = new Address(tabs.map((tab) => tab.name));
const frameworks = new Frameworks();
const mounted = new Map();
let shown = null;
let builtFor = "";
let examples = null;

function panelOf(tab) {
  return document.getElementById(`panel-${tab.name}`);
}

function buttonOf(tab) {
  return document.getElementById(`tab-${tab.name}`);
}

function build() {
  const list = document.getElementById("tabs");
  const main = document.getElementById("main");
  for (const tab of tabs) {
    list.append(
      button(tab.title, () => address.open(tab.name), {
        role: "tab",
        id: `tab-${tab.name}`,
        "aria-controls": `panel-${tab.name}`,
      }),
    );
    main.append(
      element("section", {
        role: "tabpanel",
        id: `panel-${tab.name}`,
        class: `panel panel-${tab.name}`,
        "aria-labelledby": `tab-${tab.name}`,
        hidden: true,
      }),
    );
  }
  list.addEventListener("keydown", moveAlongTabs);
  // Tabs that take no files: the browser would leave the page for a dropped one.
  for (const name of ["dragover", "drop"]) document.addEventListener(name, (event) => event.preventDefault());
}

// https://www.w3.org/WAI/ARIA/apg/patterns/tabs/
function moveAlongTabs(event) {
  const at = tabs.findIndex((tab) => buttonOf(tab) === event.target);
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
  if (at < 0 || to === undefined) return;
  event.preventDefault();
  const tab = tabs[(to + tabs.length) % tabs.length];
  address.open(tab.name);
  buttonOf(tab).focus();
}

function leave(tab) {
  const { view, lanes } = mounted.get(tab);
  view.hide();
  lanes.drop();
}

function show() {
  const tab = tabs.find((one) => one.name === address.tab);
  if (shown !== tab && mounted.has(shown)) leave(shown);
  shown = tab;
  for (const one of tabs) {
    const isShown = one === tab;
    buttonOf(one).setAttribute("aria-selected", isShown);
    buttonOf(one).tabIndex = isShown ? 0 : -1;
    panelOf(one).hidden = !isShown;
  }
  buttonOf(tab).scrollIntoView({ block: "nearest", inline: "nearest" });
  document.title = `${tab.title} · Triptych`;
  if (frameworks.list.length === 0) return;
  if (!mounted.has(tab)) mount(tab);
  mounted.get(tab).view.show();
}

function mount(tab) {
  const lanes = new Lanes({
    onTrouble: () => frameworks.poll(),
    onBusy: () => {
      panelOf(tab).dataset.busy = lanes.isBusy;
    },
  });
  const app = { state: address.stateOf(tab.name), frameworks, examples, ask: lanes.ask.bind(lanes) };
  mounted.set(tab, { lanes, view: tab.mount(panelOf(tab), app) });
}

/* Build the tabs when the frameworks become known, and again for models of another size, or other frameworks. */
function rebuild() {
  if (frameworks.list.length === 0) return;
  const shape = frameworks.imageShape ?? [28, 28];
  const needed = [frameworks.names, shape, frameworks.takesMnist].join(" ");
  if (needed === builtFor) return;
  builtFor = needed;
  setImageShape(shape);
  paintFrameworks(frameworks.list);
  examples = makeExamples(frameworks);
  if (mounted.has(shown)) leave(shown);
  for (const tab of mounted.keys()) panelOf(tab).replaceChildren();
  mounted.clear();
  show();
}

build();
startTheme(document.getElementById("theme"));
showFrameworks(document.getElementById("frameworks"), document.getElementById("notices"), frameworks);
showModels(document.getElementById("models"), frameworks);
showIntro({ noun: document.getElementById("intro-noun"), count: document.getElementById("intro-count") }, frameworks);
showKeyForm(document.getElementById("notices"), frameworks, (key) => {
  setKey(key);
  frameworks.poll();
});
address.changed(show);
show();
frameworks.changed(rebuild);
frameworks.start();
