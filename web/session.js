/* The token: how this tab may speak to the program, and where that is allowed to be known.
 *
 * A token arrives in the address as `#token=TOKEN`, or as `#open=CODE`, a code for one use that is
 * exchanged for it. The fragment is removed at once, so it does not stay in the history. The token
 * is kept in sessionStorage (this tab alone, gone with it) and is sent to our own origin alone.
 *
 * When the program is started anew, the old token is worth nothing. A tab with the new one tells
 * the other tabs, over a BroadcastChannel, which reaches this origin in this browser and nothing
 * else. Three rules keep that safe:
 *
 *   1. a token is passed on only while the program that made it accepts it (`accepted`);
 *   2. a token is taken only by a tab that has none that is accepted;
 *   3. it is not kept anywhere that outlives the tab: whoever takes the port after the program
 *      would be given it by the browser.
 */
import { ofTab } from "./storage.js";

const KEY = "cryptochat.token";
const FORM = /^[A-Za-z0-9_-]{16,256}$/;
const channel = new BroadcastChannel("cryptochat.session");

let token = ofTab.get(KEY);
let accepted = false;
let exchange = null;
let report = () => {};

/** Fires "token" when a new token is taken. */
export const changes = new EventTarget();

/** Begin: `exchange(code)` gives a token; `onState` hears "none", "restarted" or "used-link". */
export function start(handlers) {
  exchange = handlers.exchange;
  report = handlers.onState;
  channel.onmessage = (event) => heard(event.data);
  addEventListener("hashchange", takeFragment); // a new link pasted into a tab that is open
  takeFragment();
  if (!token) askOtherTabs("none");
}

/** The token in force, or null. */
export function current() {
  return token;
}

/** Resolves when there is a token. */
export async function available() {
  if (!token) await new Promise((done) => changes.addEventListener("token", done, { once: true }));
  return token;
}

/** The program has answered to this token: other tabs may have it. */
export function accept(used) {
  if (used !== token) return;
  accepted = true;
  channel.postMessage({ token });
}

/** The connection broke: who answers next on this port is not known yet. */
export function doubt() {
  accepted = false;
}

/** The program does not know this token: it was started anew. */
export function refuse(used) {
  if (used !== token) return;
  token = null;
  accepted = false;
  ofTab.remove(KEY);
  askOtherTabs("restarted");
}

function askOtherTabs(state) {
  report(state);
  channel.postMessage({ ask: true });
}

function heard(message) {
  if (message?.ask === true && accepted) channel.postMessage({ token });
  else if (typeof message?.token === "string" && !accepted) take(message.token);
}

function take(offered) {
  if (!FORM.test(offered) || offered === token) return;
  token = offered;
  accepted = false;
  ofTab.set(KEY, token);
  changes.dispatchEvent(new Event("token"));
}

async function takeFragment() {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const given = fragment.get("token");
  const code = fragment.get("open");
  if (given === null && code === null) return;
  history.replaceState(null, "", location.pathname);
  if (given !== null) return take(given);
  try {
    take(await exchange(code));
  } catch {
    if (!token) report("used-link");
  }
}
