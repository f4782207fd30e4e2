/*
 * The page's frame: builds the tabs and shows the tab that the address names. It computes nothing.
 *
 * A tab is a module in `tabs/`, listed in `tabs/index.js`, which exports
 *   name    its word in the address
 *   title   the label of its tab
 *   needsModel  true if the tab stays empty where no framework has the page's model
 *   mount   mount(panel, app): fills the panel when the tab is first shown, and returns {show(), hide()};
 *           show() reads the tab's state from the address, each time the tab or a link is opened;
 *           hide() stops everything that moves. The tab's requests in flight are cancelled for it.
 *
 * `app` has
 *   state       {get(name), set({name: value}), open(tab, values)}: the tab's part of the address (`frame/address.js`)
 *   frameworks  the service's frameworks, and which are ready (`api/frameworks.js`)
 *   examples    images to start from, and the latent map (`drawing/examples.js`)
 *   ask(...)    sends a request to the framework of its query, in turn; throws if overtaken (`api/lanes.js`)
 *
 * Tabs import other modules themselves: `api/` (requests, npy, curl and Python), `drawing/` (the visitor's image),
 * `results/` (a panel for each framework, images on a canvas), `latent/` (sliders, pad, map), `charts/`, `parts/`
 * (elements, notices, explanations, buttons that save and copy).
 *
 * Tabs are mounted once the service has listed its frameworks, which the page doesn't know otherwise.
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
const mountedTabs = new Map();
let currentTab = null;
let configuration = "";
let examples = null;

function byId(id) {
  return document.getElementById(id);
}

function panelOf(tab) {
  return byId(`panel-${tab.name}`);
}

function buttonOf(tab) {
  return byId(`tab-${tab.name}`);
}

function build() {
  const tabList = byId("tabs");
  const main = byId("main");
  for (const tab of tabs) {
    tabList.append(
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
  tabList.addEventListener("keydown", moveAlongTabs);
  // For tabs that take no files: the browser would leave the page to open a dropped file.
  for (const name of ["dragover", "drop"]) document.addEventListener(name, (event) => event.preventDefault());
}

// https://www.w3.org/WAI/ARIA/apg/patterns/tabs/
function moveAlongTabs(event) {
  const index = tabs.findIndex((tab) => buttonOf(tab) === event.target);
  const target = { ArrowRight: index + 1, ArrowLeft: index - 1, Home: 0, End: tabs.length - 1 }[event.key];
  if (index < 0 || target === undefined) return;
  event.preventDefault();
  const tab = tabs[(target + tabs.length) % tabs.length];
  address.open(tab.name);
  buttonOf(tab).focus();
}

function leave(tab) {
  const { view, lanes } = mountedTabs.get(tab);
  view.hide();
  lanes.drop();
}

function show() {
  const previousTab = currentTab;
  currentTab = tabs.find((tab) => tab.name === address.tab);
  if (previousTab !== currentTab && mountedTabs.has(previousTab)) leave(previousTab);
  for (const tab of tabs) {
    const isCurrent = tab === currentTab;
    buttonOf(tab).setAttribute("aria-selected", isCurrent);
    buttonOf(tab).tabIndex = isCurrent ? 0 : -1;
    panelOf(tab).hidden = !isCurrent;
  }
  buttonOf(currentTab).scrollIntoView({ block: "nearest", inline: "nearest" });
  document.title = `${currentTab.title} · Triptych`;
  if (frameworks.list.length === 0) return;
  if (currentTab.needsModel && frameworks.names.length === 0) {
    panelOf(currentTab).dataset.busy = false;
    return;
  }
  if (!mountedTabs.has(currentTab)) mount(currentTab);
  mountedTabs.get(currentTab).view.show();
}

function mount(tab) {
  const lanes = new Lanes({
    onTrouble: () => frameworks.poll(),
    onBusy: () => {
      panelOf(tab).dataset.busy = lanes.isBusy;
    },
  });
  const app = { state: address.stateOf(tab.name), frameworks, examples, ask: lanes.ask.bind(lanes) };
  mountedTabs.set(tab, { lanes, view: tab.mount(panelOf(tab), app) });
}

/* Build the tabs when the frameworks become known, and again if frameworks or image size change. */
function rebuild() {
  if (frameworks.list.length === 0) return;
  const shape = frameworks.imageShape ?? [28, 28];
  const newConfiguration = [frameworks.names, shape, frameworks.takesMnist].join(" ");
  if (newConfiguration === configuration) return;
  configuration = newConfiguration;
  setImageShape(shape);
  paintFrameworks(frameworks.list);
  examples = makeExamples(frameworks);
  if (mountedTabs.has(currentTab)) leave(currentTab);
  for (const tab of mountedTabs.keys()) panelOf(tab).replaceChildren();
  mountedTabs.clear();
  show();
}

build();
startTheme(byId("theme"));
showFrameworks(byId("frameworks"), byId("notices"), frameworks);
showModels(byId("models"), frameworks);
showIntro({ noun: byId("intro-noun"), count: byId("intro-count") }, frameworks);
showKeyForm(byId("notices"), frameworks, (key) => {
  setKey(key);
  frameworks.poll();
});
address.subscribe(show);
show();
frameworks.subscribe(rebuild);
frameworks.start();
