/* One room's messages as far as they are loaded: a window onto its history, oldest first.
 *
 * A history may have a hundred thousand messages, and the page shows some hundred: what is loaded at
 * one end of a full window goes at the other. Ids are opaque, so order is only ever the window's.
 *
 *     messages   what is in the window
 *     whole      there is nothing older than the window
 *     newer      there is something newer than the window, so what comes now is not put behind it
 *     newAfter   the message after which the "New" line stands; "" before the first; null: no line
 *     target     the message that is to be brought into view, or null
 */
import { shallowReactive } from "./vendor/vue.js";

export const PAGE = 50;
export const MOST = 200;

export class History {
  constructor() {
    this.messages = shallowReactive([]);
    this.whole = false;
    this.newer = false;
    this.loading = false;
    this.newAfter = null;
    this.target = null;
    return shallowReactive(this);
  }

  indexOf(id) {
    return this.messages.findLastIndex((message) => message.id === id);
  }

  /** The newest page came: it replaces what it overlaps; if it overlaps nothing, it is all we know.
   * What was added while it was on its way (from index `since`) and is not in it, is newer: it stays. */
  putNewest(page, since) {
    const ids = new Set(page.map((message) => message.id));
    const loaded = this.newer ? [] : this.messages.slice(0, since);
    const added = this.newer ? [] : this.messages.slice(since).filter((message) => !ids.has(message.id));
    const overlap = loaded.findIndex((message) => ids.has(message.id));
    const older = overlap < 0 ? [] : loaded.slice(0, overlap);
    if (older.length === 0) this.whole = page.length < PAGE;
    this.newer = false;
    put(this, [...older, ...page, ...added]);
  }

  /** A page from anywhere. */
  putPage(page, { whole, newer }) {
    put(this, page);
    this.whole = whole;
    this.newer = newer;
  }

  putEarlier(page) {
    this.messages.unshift(...page);
    this.whole = page.length < PAGE;
    if (this.messages.length <= MOST) return;
    this.messages.splice(MOST);
    this.newer = true;
  }

  putLater(page) {
    const known = new Set(this.messages.map((message) => message.id));
    this.messages.push(...page.filter((message) => !known.has(message.id)));
    this.newer = page.length === PAGE;
    dropOldest(this);
  }

  /** A message that has just been stored; false if it is there already. `reading`: somebody reads above. */
  add(message, reading) {
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

function put(history, messages) {
  history.messages.splice(0, history.messages.length, ...messages);
}

function dropOldest(history) {
  if (history.messages.length <= MOST) return;
  history.messages.splice(0, history.messages.length - MOST);
  history.whole = false;
}
