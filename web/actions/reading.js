/* How far the user has read: said to the program, which tells every page. */
import * as api from "../api.js";
import { setUnread, state, unreadIn } from "../store.js";

const sending = new Map(); // room -> the id that is to be sent after the one on its way

/** Everything up to message `id` of `room` has been in view. */
export async function readUpTo(room, id) {
  const unread = unreadIn(room);
  if (unread === 0) return;
  const { messages, newer } = state.histories.get(room);
  const rest = messages.slice(messages.findLastIndex((message) => message.id === id) + 1).filter((message) => !message.own).length;
  if (!newer && rest < unread) setUnread(room, rest, id);
  if (sending.has(room)) return sending.set(room, id);
  try {
    for (let next = id, last = null; next !== last; next = sending.get(room)) {
      sending.set(room, (last = next));
      await api.readTo(room, next);
    }
  } catch {
    // It is read all the same; the next time it is said again.
  }
  sending.delete(room);
}
