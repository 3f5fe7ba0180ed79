/* How what the program says becomes what the store holds.
 *
 * Two sources say the same things: requests give the state of now, events the changes. If the state
 * were asked for first, a change in between would be lost; if an older answer were put over a newer
 * event, too. So: the stream is opened first, its events are held while the state is fetched, and
 * then applied on top of it. An event that the state already knew changes nothing.
 */
import * as api from "./api.js";
import { addMessage, historyOf, newestPage, replaceAll, setDelivery, setProblem, showRoom, state } from "./store.js";

const PAGE = 50;
const RETURNED_FOR = 6_000;

let held = null; // events that wait for the state, or null
let again = false;
let fetched = false; // the last fetch of the state was finished

export function opened({ resumed, newToken }) {
  const wasGone = state.link === "lost" || state.link === "restarted";
  state.link = "live";
  if (state.loaded && wasGone) sayReturned();
  if (!resumed || newToken || !fetched) refresh();
}

export function lost() {
  if (state.link !== "connecting" || state.loaded) state.link = "lost";
  state.returned = false;
}

/** The session has something to say of itself: see session.js. */
export function sessionChanged(link) {
  state.link = link;
}

export function received(name, data) {
  if (name === "reset") refresh();
  else if (held) held.push([name, data]);
  else apply(name, data);
}

/** Fetch the state of now. Called while it is running, it runs once more. */
export async function refresh() {
  again = true;
  if (held) return;
  held = [];
  try {
    while (again) {
      again = false;
      fetched = false;
      await fetchState();
      fetched = true;
    }
  } catch (error) {
    // A lost connection and a refused token are the stream's to tell: it opens again, and comes here.
    if (error.status !== 0 && error.status !== 401) setProblem("page", error.message);
  }
  const events = held;
  held = null;
  for (const [name, data] of events) apply(name, data);
}

async function fetchState() {
  const [info, users, contacts, rooms] = await Promise.all([api.info(), api.users(), api.contacts(), api.rooms()]);
  state.info = info;
  replaceAll(state.users, users.map((user) => [user.uuid, user]));
  replaceAll(state.contacts, contacts.map((contact) => [contact.id, contact]));
  replaceAll(state.rooms, rooms.map((room) => [room.name, room]));
  if (!state.rooms.get(state.room)?.joined) showRoom(rooms.find((room) => room.joined)?.name ?? null);
  for (const room of state.histories.keys()) if (room !== state.room) state.histories.delete(room);
  if (state.room !== null) await loadNewest(state.room);
  if (state.room === null) state.view = "rooms";
  state.loaded = true;
}

/** The newest messages of a room, unless they are being loaded. */
export async function loadNewest(room) {
  const history = historyOf(room);
  const since = history.messages.length;
  history.loading = true;
  try {
    newestPage(room, await api.messages(room, { limit: PAGE }), PAGE, since);
  } finally {
    history.loading = false;
  }
}

function apply(name, data) {
  appliers[name]?.(data);
}

const appliers = {
  users({ users, gone }) {
    for (const user of users) state.users.set(user.uuid, user);
    for (const uuid of gone ?? []) state.users.delete(uuid);
  },
  rooms({ rooms, gone }) {
    for (const room of rooms) state.rooms.set(room.name, room);
    for (const name of gone ?? []) state.rooms.delete(name);
  },
  contacts({ contacts, gone }) {
    for (const contact of contacts) {
      if (contact.state === "found" && state.contacts.get(contact.id)?.state !== "found") state.found.add(contact.id);
      state.contacts.set(contact.id, contact);
    }
    for (const id of gone ?? []) state.contacts.delete(id);
  },
  verification(question) {
    state.questions.set(question.uuid, question);
  },
  messages(message) {
    // A room that was never opened has its history fetched when it is: until then only counted.
    const known = state.histories.has(message.room);
    const fresh = known ? addMessage(message) : true;
    if (!fresh || message.own || message.room === state.room) return;
    state.unread.set(message.room, (state.unread.get(message.room) ?? 0) + 1);
  },
  delivery: setDelivery,
};

function sayReturned() {
  state.returned = true;
  setTimeout(() => (state.returned = false), RETURNED_FOR);
}
