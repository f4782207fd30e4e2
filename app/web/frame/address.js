/*
 * The page's state, in the address after the `#`: the tab's name, and that tab's own values as a query.
 * A link replays it.
 *
 * What a tab was last like is kept while another one is shown.
 */

// Browsers refuse more than a hundred changes of the address in half a minute.
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
    // Back, forward, or a link that was pasted over.
    window.addEventListener("popstate", () => {
      this.#cancel();
      this.#read();
      this.#tell();
    });
  }

  changed(listener) {
    this.#listeners.push(listener);
  }

  /* Go to a tab, which the browser's back button leaves again; `values` replace what it was last like. */
  open(name, values = null) {
    if (values) this.#values.set(name, new URLSearchParams(values));
    else if (name === this.tab) return;
    this.#write();
    this.tab = name;
    history.pushState(null, "", this.#hash());
    this.#tell();
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

  #tell() {
    for (const listener of this.#listeners) listener();
  }
}
