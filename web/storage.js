/* What this browser keeps for the page: in this tab, or for all of them. It may be full, or forbidden.
 *
 * Then it is kept in memory, as long as the page is open: nothing else of the page has to know.
 */
class Area {
  #open;
  #memory = new Map();

  constructor(open) {
    this.#open = open; // where storage is forbidden, it is the very mention that throws
  }

  get(key) {
    if (this.#memory.has(key)) return this.#memory.get(key);
    try {
      return this.#open().getItem(key);
    } catch {
      return null;
    }
  }

  set(key, text) {
    this.#memory.delete(key);
    try {
      this.#open().setItem(key, text);
    } catch {
      this.#memory.set(key, text);
    }
  }

  remove(key) {
    this.#memory.delete(key);
    try {
      this.#open().removeItem(key);
    } catch {
      // There is nothing of ours in it.
    }
  }
}

/** Of this tab, gone with it. */
export const ofTab = new Area(() => sessionStorage);

/** Of this browser, for what it does not hurt anybody to know. */
export const ofBrowser = new Area(() => localStorage);
