/*
 * The page's frame: tabs, theme, which frameworks live, and the key where one is needed. It computes nothing.
 *
 * A tab is a module in `tabs/`, listed in `tabs/index.js`, which exports
 *   name    the word that stands for it in the address
 *   title   the words on its tab
 *   mount   mount(panel, app): fills the panel, once, when the tab is first shown, and returns {show(), hide()};
 *           show() reads the tab's state from the address, each time that the tab or a link is opened,
 *           hide() stops what moves; requests that the tab has in flight are dropped for it.
 *
 * What a tab is given as `app`:
 *   state       {get(name), set({name: value})}: the tab's own part of the address (`address.js`)
 *   frameworks  {list, ready, changed(callback)}: which frameworks there are, and which answer (`frameworks.js`)
 *   ask(...)    asks a framework, at most one request at a time; what has been overtaken throws (`lanes.js`)
 *
 * The rest is imported where it is needed: `client.js` (requests without a lane), `npy.js`, `grids.js` (images on a
 * canvas), `files.js` (PNG, npy and CSV), `snippets.js` (curl and Python), `panels.js` (a panel for each framework, with
 * what keeps it from answering), `parts.js` (notices, buttons that save and copy), `elements.js` (the document's elements).
 */

import { Address } from "./address.js";
import { setKey } from "./client.js";
import { button, element } from "./elements.js";
import { Frameworks } from "./frameworks.js";
import { Lanes } from "./lanes.js";
import { showFrameworks, showKeyForm } from "./masthead.js";
import { tabs } from "./tabs/index.js";
import { startTheme } from "./theme.js";

const address = new Address(tabs.map((tab) => tab.name));
const frameworks = new Frameworks();
const mounted = new Map();
let shown = null;

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

function show() {
  const tab = tabs.find((one) => one.name === address.tab);
  if (shown && shown !== tab) {
    mounted.get(shown).view.hide();
    mounted.get(shown).lanes.drop();
  }
  shown = tab;
  for (const one of tabs) {
    const isShown = one === tab;
    buttonOf(one).setAttribute("aria-selected", isShown);
    buttonOf(one).tabIndex = isShown ? 0 : -1;
    panelOf(one).hidden = !isShown;
  }
  buttonOf(tab).scrollIntoView({ block: "nearest", inline: "nearest" });
  document.title = `${tab.title} · Triptych`;
  if (!mounted.has(tab)) {
    const lanes = new Lanes({
      onTrouble: () => frameworks.look(),
      onBusy: () => {
        panelOf(tab).dataset.busy = lanes.isBusy;
      },
    });
    const app = { state: address.stateOf(tab.name), frameworks, ask: lanes.ask.bind(lanes) };
    mounted.set(tab, { lanes, view: tab.mount(panelOf(tab), app) });
  }
  mounted.get(tab).view.show();
}

build();
startTheme(document.getElementById("theme"));
showFrameworks(document.getElementById("frameworks"), document.getElementById("notices"), frameworks);
showKeyForm(document.getElementById("notices"), frameworks, (key) => {
  setKey(key);
  frameworks.look();
});
address.changed(show);
show();
frameworks.start();
