/* Everything that the page shows, in one reactive object, and the few ways to change it.
 *
 * What came from the program (users, rooms, messages) is kept as it came and replaced, never edited:
 * so a component sees a change as a new value. Maps, not objects: a room may be called "__proto__".
 */
import { reactive, shallowReactive } from "./vendor/vue.js";

export const state = reactive({
  link: "connecting", // then "live", "lost", "restarted", "none" or "used-link"
  returned: false, // for a moment after the program came back
  loaded: false,
  info: null,
  users: shallowReactive(new Map()), // uuid -> USER
  rooms: shallowReactive(new Map()), // name -> ROOM
  questions: shallowReactive(new Map()), // uuid -> the last verification event about it
  histories: shallowReactive(new Map()), // room -> History
  contacts: shallowReactive(new Map()), // id -> CONTACT: whom the user has added
  found: reactive(new Set()), // ids of those that were found while this page looked on
  unread: reactive(new Map()), // room -> number of messages that came while it was not open
  room: sessionStorage.getItem("cryptochat.room"), // the open one, or null
  differing: reactive(new Set()), // keys of which the user has said that the two screens differ
  person: null, // whose card is open, or null
  view: "talk", // on a narrow screen: "rooms", "talk" or "people"
  dialog: null, // the open one: "add", "doctor" or null
  offered: null, // {text}: the contact code that came in this page's address, for the user to look at
  added: null, // the id of the contact that was added last in the open dialog
  code: null, // our own contact code: {code, link, addresses, qr}
  doctor: null, // what the doctor found last: {findings, visible, report}
  board: null, // the open sheet to draw on: {room, strokes, authors, description}, or null
  flipBook: [], // the drawings that the flip-book shows, oldest first
  problems: reactive(new Map()), // place -> what went wrong there, in words
});

/** One room's messages as far as they are loaded, oldest first. `whole`: there are no older ones. */
function emptyHistory() {
  return shallowReactive({ messages: shallowReactive([]), whole: false, loading: false });
}

export function historyOf(room) {
  if (!state.histories.has(room)) state.histories.set(room, emptyHistory());
  return state.histories.get(room);
}

export function replaceAll(map, entries) {
  const fresh = new Map(entries);
  for (const key of map.keys()) if (!fresh.has(key)) map.delete(key);
  for (const [key, value] of fresh) map.set(key, value);
}

/** The newest page came: it replaces what it overlaps; if it overlaps nothing, it is all we know.
 * What was added while it was on its way (from index `since`) and is not in it, is newer: it stays. */
export function newestPage(room, page, limit, since) {
  const history = historyOf(room);
  const ids = new Set(page.map((message) => message.id));
  const loaded = history.messages.slice(0, since);
  const added = history.messages.slice(since).filter((message) => !ids.has(message.id));
  const overlap = loaded.findIndex((message) => ids.has(message.id));
  const older = overlap < 0 ? [] : loaded.slice(0, overlap);
  if (older.length === 0) history.whole = page.length < limit;
  history.messages.splice(0, history.messages.length, ...older, ...page, ...added);
}

export function earlierPage(room, page, limit) {
  const history = historyOf(room);
  history.messages.unshift(...page);
  history.whole = page.length < limit;
}

/** A message is added once, whether its event or our POST's reply comes first. */
export function addMessage(message) {
  const { messages } = historyOf(message.room);
  if (messages.some((known) => known.id === message.id)) return false;
  messages.push(message);
  return true;
}

export function setDelivery({ id, room, uuid, state: reached, reason }) {
  const messages = state.histories.get(room)?.messages ?? [];
  const index = messages.findLastIndex((message) => message.id === id);
  if (index < 0) return;
  const others = (messages[index].deliveries ?? []).filter((delivery) => delivery.uuid !== uuid);
  messages[index] = { ...messages[index], deliveries: [...others, { uuid, state: reached, reason }] };
}

export function showRoom(room) {
  state.room = room;
  if (room === null) return sessionStorage.removeItem("cryptochat.room");
  state.unread.delete(room);
  sessionStorage.setItem("cryptochat.room", room);
}

export function setProblem(place, message) {
  if (message) state.problems.set(place, message);
  else state.problems.delete(place);
}
