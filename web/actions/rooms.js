/* What a person can do with rooms. */
import * as api from "../api.js";
import { showRoom, state } from "../store.js";
import { loadRoom } from "../sync.js";
import { words } from "../words.js";
import { attempt } from "./attempt.js";
import { show } from "./page.js";

export function openRoom(name) {
  showRoom(name);
  show("talk");
  if (!state.rooms.get(name)?.joined) return;
  const history = state.histories.get(name);
  const { read = null, unread = 0 } = state.reads.get(name) ?? {};
  if (history && unread === 0) return;
  if (history && !history.newer && history.indexOf(read) >= 0) return void (history.newAfter = read);
  return attempt("conversation", () => loadRoom(name));
}

export function joinRoom(typed, place) {
  const name = typed.normalize("NFC").trim();
  return attempt(place, async () => {
    if (name === "") throw new Error(words.rooms.nameFirst);
    await api.join(name);
    const rooms = await api.rooms();
    for (const room of rooms) state.rooms.set(room.name, room);
    openRoom(name);
  });
}

export function leaveRoom(name) {
  return attempt("conversation", async () => {
    await api.leave(name);
    state.histories.delete(name);
    if (state.room === name) showRoom(null);
    show("rooms");
  });
}
