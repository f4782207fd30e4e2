/*
 * The page's state in the address, after the `#`: the tab's name, and that tab's values as a query, so that a link
 * replays it. Values of the other tabs are kept in memory.
 */

// Browsers reject more than about a hundred changes of the address in half a minute.
const WRITE_MS = 350;

export class Address {
  #names;
  #values = new Map();
  #listeners = [];
  #timer = null;

  constructor(names) {
    this.#names = names;
    this.tab = names[0];
    this.#read();
    // Back, forward, or a pasted link.
    window.addEventListener("popstate", () => {
      this.#cancel();
      this.#read();
      this.#notify();
    });
  }

  /* Call back when a tab is opened, or a step of the browser's history. */
  subscribe(listener) {
    this.#listeners.push(listener);
  }

  /* Go to a tab, as a step in the browser's history; `values` replace the tab's values. */
  open(name, values = null) {
    if (values) this.#values.set(name, new URLSearchParams(values));
    else if (name === this.tab) return;
    this.#write();
    this.tab = name;
    history.pushState(null, "", this.#hash());
    this.#notify();
  }

  stateOf(name) {
    return {
      get: (key) => this.#values.get(name)?.get(key) ?? null,
      set: (changes) => {
        const values = this.#values.get(name) ?? new URLSearchParams();
        for (const [key, value] of Object.entries(changes)) {
          if (value === null || value === undefined) values.delete(key);
          else values.set(key, value);
        }
        this.#values.set(name, values);
        if (name === this.tab) this.#timer ??= setTimeout(() => this.#write(), WRITE_MS);
      },
      open: (tab, values) => this.open(tab, values),
    };
  }

  #read() {
    const [name, query] = location.hash.slice(1).split("?");
    if (!this.#names.includes(name)) return;
    this.tab = name;
    this.#values.set(name, new URLSearchParams(query ?? ""));
  }

  #write() {
    if (this.#timer === null) return;
    this.#cancel();
    history.replaceState(null, "", this.#hash());
  }

  #cancel() {
    clearTimeout(this.#timer);
    this.#timer = null;
  }

  #hash() {
    const query = String(this.#values.get(this.tab) ?? "");
    return `#${this.tab}${query ? `?${query}` : ""}`;
  }

  #notify() {
    for (const listener of this.#listeners) listener();
  }
}
