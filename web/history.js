/* One room's messages as far as they are loaded: a window onto its history, oldest first.
 *
 * A history may have a hundred thousand messages, and the page shows some hundred: what is loaded at
 * one end of a full window goes at the other. Ids are opaque, so order is only ever the window's.
 *
 * Pages are on their way while messages come. So what came meanwhile is remembered (`arrived`), and
 * put behind a page that reaches to the end; and of several pages on their way only the one that was
 * asked for last is put: the others belong to a window that is no more.
 */
import { shallowReactive } from "./vendor/vue.js";

export const PAGE = 50;
export const MOST = 200;

export class History {
  constructor() {
    this.messages = shallowReactive([]);
    this.whole = false; // there is nothing older than the window
    this.newer = false; // there is something newer than the window: what comes now does not go behind it
    this.newAfter = null; // the message after which the "New" line stands; "": before the first; null: no line
    this.target = null; // the message that is to be brought into view
    this.loading = false;
    this.turn = 0; // counts what was asked for
    this.arrived = [];
    return shallowReactive(this);
  }

  indexOf(id) {
    return this.messages.findLastIndex((message) => message.id === id);
  }

  /** Ask for a page, and `put` it here unless another one was asked for meanwhile. */
  async load(ask, put) {
    const turn = ++this.turn;
    this.loading = true;
    this.arrived = [];
    try {
      const page = await ask();
      if (turn === this.turn) put(page);
    } finally {
      if (turn === this.turn) this.loading = false;
    }
  }

  /** The newest page: it replaces what it overlaps; if it overlaps nothing, it is all we know. */
  putNewest(page) {
    const ids = new Set(page.map((message) => message.id));
    const overlap = this.newer ? -1 : this.messages.findIndex((message) => ids.has(message.id));
    const older = overlap < 0 ? [] : this.messages.slice(0, overlap);
    if (older.length === 0) this.whole = page.length < PAGE;
    this.newer = false;
    this.messages.splice(0, this.messages.length, ...older, ...page);
    reachEnd(this);
  }

  /** A page from anywhere: another window. */
  putPage(page, { whole, newer }) {
    Object.assign(this, { whole, newer });
    this.messages.splice(0, this.messages.length, ...page);
    if (!newer) reachEnd(this);
  }

  putEarlier(page) {
    this.messages.unshift(...page);
    this.whole = page.length < PAGE;
    if (this.messages.length <= MOST) return;
    this.messages.splice(MOST);
    this.newer = true;
  }

  putLater(page) {
    this.messages.push(...page);
    this.newer = page.length === PAGE;
    if (!this.newer) reachEnd(this);
    dropOldest(this);
  }

  /** A message that has just been stored; false if it is there already. `reading`: somebody reads above. */
  add(message, reading) {
    if (this.loading) this.arrived.push(message);
    if (this.newer) return true;
    if (this.indexOf(message.id) >= 0) return false;
    if (reading && this.messages.length >= MOST) this.newer = true; // not under the reader's eyes
    else this.messages.push(message);
    if (!reading) dropOldest(this);
    return true;
  }

  replace(index, message) {
    this.messages[index] = message;
  }
}

/** The window goes to the end: what has come while the page was on its way stands behind it. */
function reachEnd(history) {
  const ids = new Set(history.messages.map((message) => message.id));
  history.messages.push(...history.arrived.filter((message) => !ids.has(message.id)));
  dropOldest(history);
}

function dropOldest(history) {
  if (history.messages.length <= MOST) return;
  history.messages.splice(0, history.messages.length - MOST);
  history.whole = false;
}
