/* How what the program says becomes what the store holds.
 *
 * Two sources say the same things: requests give the state of now, events the changes. If the state
 * were asked for first, a change in between would be lost; if an older answer were put over a newer
 * event, too. So: the stream is opened first, its events are held while the state is fetched, and
 * then applied on top of it. An event that the state already knew changes nothing.
 */
import * as api from "./api.js";
import { noteComings } from "./comings.js";
import { MOST, PAGE } from "./history.js";
import { addMessage, historyOf, replaceAll, setDelivery, setProblem, setUnread, showRoom, speak, state, unreadIn } from "./store.js";
import { namesMe } from "./views.js";
import { words } from "./words.js";

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

/** This tab has the stream for all tabs, or has it no more. */
export function leads(leading) {
  state.leading = leading;
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
async function refresh() {
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
  // Whether a message of these was in the count already, nobody can tell: so it is counted again.
  if (fetched && events.some(([name]) => name === "messages")) await fetchReads();
}

async function fetchReads() {
  replaceAll(state.reads, (await api.reads().catch(() => [...state.reads.values()])).map((read) => [read.room, read]));
}

async function fetchState() {
  const [info, users, contacts, rooms] = await Promise.all([api.info(), api.users(), api.contacts(), api.rooms(), fetchReads()]);
  state.info = info;
  replaceAll(state.users, users.map((user) => [user.uuid, user]));
  replaceAll(state.contacts, contacts.map((contact) => [contact.id, contact]));
  replaceAll(state.rooms, rooms.map((room) => [room.name, room]));
  if (!state.rooms.get(state.room)?.joined) showRoom(rooms.find((room) => room.joined)?.name ?? null);
  for (const room of state.histories.keys()) if (room !== state.room) state.histories.delete(room);
  if (state.room !== null) await (state.histories.has(state.room) ? loadAgain(state.room) : loadRoom(state.room));
  state.loaded = true;
}

/** What one sees who opens a room: from the last message that was read on, or the newest. */
export async function loadRoom(room) {
  const { read = null, unread = 0 } = state.reads.get(room) ?? {};
  if (unread === 0) return loadNewest(room);
  const history = historyOf(room);
  history.newAfter = read ?? "";
  if (read !== null) return loadAround(room, read);
  await history.load(
    () => api.messages(room, { after: "0", limit: PAGE }),
    (page) => history.putPage(page, { whole: true, newer: page.length === PAGE }),
  );
}

/** The newest messages of a room. */
export async function loadNewest(room) {
  const history = historyOf(room);
  await history.load(() => api.messages(room, { limit: PAGE }), (page) => history.putNewest(page));
}

/** The messages on both sides of one. */
export async function loadAround(room, id, limit = 2 * PAGE) {
  const history = historyOf(room);
  await history.load(() => api.messages(room, { around: id, limit }), (page) => {
    const after = page.length - 1 - page.findLastIndex((message) => message.id === id);
    history.putPage(page, { whole: page.length - after < limit / 2, newer: after >= limit / 2 });
  });
}

/** The same messages as they are now: of those that are no more, and those that have changed, nobody has told. */
async function loadAgain(room) {
  const { messages, newer } = historyOf(room);
  if (!newer) return loadNewest(room);
  await loadAround(room, messages[Math.floor(messages.length / 2)].id, MOST);
  if (historyOf(room).messages.length === 0) await loadNewest(room);
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
    for (const room of rooms) {
      noteComings(state.rooms.get(room.name), room);
      state.rooms.set(room.name, room);
    }
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
    const fresh = state.histories.has(message.room) ? addMessage(message) : true;
    if (!fresh || message.own) return;
    state.latest = message;
    if (namesMe(message)) state.mentioned.add(message.room);
    setUnread(message.room, unreadIn(message.room) + 1);
    speak(message.room, words.message.spoken(message.sender.username, message.content));
  },
  read: ({ room, read, unread }) => setUnread(room, unread, read),
  delivery: setDelivery,
};

function sayReturned() {
  state.returned = true;
  setTimeout(() => (state.returned = false), RETURNED_FOR);
}
