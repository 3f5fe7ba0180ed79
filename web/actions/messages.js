/* What a person can do with messages: send them, and read back and forth. */
import * as api from "../api.js";
import { PAGE } from "../history.js";
import { addMessage, historyOf, state } from "../store.js";
import { loadNewest } from "../sync.js";
import { words } from "../words.js";
import { attempt } from "./attempt.js";
import { offerNotifications } from "./notifications.js";

export const MOST_CONTENT_BYTES = 64 * 1024;

export const send = (room, content) =>
  attempt("composer", async () => {
    if (new TextEncoder().encode(content).length > MOST_CONTENT_BYTES) throw new Error(words.composer.tooLong);
    await sent(room, await api.send(room, content));
    offerNotifications();
  });

/** Our own message is shown where it stands: at the end. */
export async function sent(room, message) {
  historyOf(room).newAfter = null;
  if (!state.atEnd) await loadNewest(room);
  addMessage(message);
}

export const loadEarlier = (room) =>
  further(room, (history) => !history.whole, async (history) => {
    await history.load(() => api.messages(room, { before: history.messages[0].id, limit: PAGE }), (page) => history.putEarlier(page));
  });

export const loadLater = (room) =>
  further(room, (history) => history.newer, async (history) => {
    await history.load(() => api.messages(room, { after: history.messages.at(-1).id, limit: PAGE }), (page) => history.putLater(page));
  });

export const toNewest = (room) => attempt("conversation", () => loadNewest(room));

/** Whether the newest message of the open room is in view: it decides which end of a full window gives way. */
export function setAtEnd(atEnd) {
  state.atEnd = atEnd;
}

/** Somebody looks again: what has come meanwhile is new. */
export function markNew(room) {
  const { read, unread } = state.reads.get(room) ?? {};
  if (unread > 0) historyOf(room).newAfter = read ?? "";
}

export function reachedTarget(room) {
  historyOf(room).target = null;
}

async function further(room, wanted, load) {
  const history = historyOf(room);
  if (!history.loading && history.messages.length > 0 && wanted(history)) await attempt("conversation", () => load(history));
}
