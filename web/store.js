/* Everything that the page shows, in one reactive object, and the few ways to change it.
 *
 * What came from the program (users, rooms, messages) is kept as it came and replaced, never edited:
 * so a component sees a change as a new value. Maps, not objects: a room may be called "__proto__".
 */
import { History } from "./history.js";
import { ofTab } from "./storage.js";
import { reactive, shallowReactive } from "./vendor/vue.js";

const MOST_SPOKEN = 5;
let spoken = 0;

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
  reads: shallowReactive(new Map()), // room -> READ: how far the user has read in it
  mentioned: reactive(new Set()), // rooms in which something unread names the user
  comings: shallowReactive(new Map()), // room -> who has come and gone, in the order of it: see comings.js
  latest: null, // the last message of others that has come
  offersNotifications: false, // the question whether to show them is on the page
  leading: false, // this tab has the event stream for all tabs
  spoken: [], // what has just happened in the open room, in words, for those who hear the page
  atEnd: true, // the newest message of the open room is in view
  room: ofTab.get("cryptochat.room"), // the open one, or null
  differing: reactive(new Set()), // keys of which the user has said that the two screens differ
  person: null, // whose card is open, or null
  view: "talk", // on a narrow screen: "rooms", "talk" or "people"
  dialog: null, // the open one: "add", "doctor", "flip", "search", "keys" or null
  search: { typed: "", found: null, more: false }, // what was searched for last, and what was found
  offered: null, // {text}: the contact code that came in this page's address, for the user to look at
  added: null, // the id of the contact that was added last in the open dialog
  code: null, // our own contact code: {code, link, addresses, qr}
  doctor: null, // what the doctor found last: {findings, visible, report}
  board: null, // the open sheet to draw on: {room, strokes, authors, description}, or null
  flipBook: [], // the drawings that the flip-book shows, oldest first
  problems: reactive(new Map()), // place -> what went wrong there, in words
});

export function historyOf(room) {
  if (!state.histories.has(room)) state.histories.set(room, new History());
  return state.histories.get(room);
}

export function replaceAll(map, entries) {
  const fresh = new Map(entries);
  for (const key of map.keys()) if (!fresh.has(key)) map.delete(key);
  for (const [key, value] of fresh) map.set(key, value);
}

/** A message is added once, whether its event or our POST's reply comes first; false: it was there. */
export function addMessage(message) {
  const reading = message.room === state.room && !state.atEnd;
  return historyOf(message.room).add(message, reading);
}

export function setDelivery({ id, room, uuid, state: reached, reason }) {
  const history = state.histories.get(room);
  const index = history?.indexOf(id) ?? -1;
  if (index < 0) return;
  const message = history.messages[index];
  const others = (message.deliveries ?? []).filter((delivery) => delivery.uuid !== uuid);
  history.replace(index, { ...message, deliveries: [...others, { uuid, state: reached, reason }] });
}

/** How many messages of others in `room` are new; what the program says of it replaces what we have counted. */
export function setUnread(room, unread, read = state.reads.get(room)?.read ?? null) {
  state.reads.set(room, { room, read, unread });
  if (unread === 0) state.mentioned.delete(room);
}

export const unreadIn = (room) => state.reads.get(room)?.unread ?? 0;

export function showRoom(room) {
  state.room = room;
  state.atEnd = true;
  state.spoken = [];
  if (room === null) return ofTab.remove("cryptochat.room");
  ofTab.set("cryptochat.room", room);
}

/** Say it to those who hear the page, if it is about the room that is open. */
export function speak(room, text) {
  if (room === state.room) state.spoken = [...state.spoken, { key: spoken++, text }].slice(-MOST_SPOKEN);
}

export function setProblem(place, message) {
  if (message) state.problems.set(place, message);
  else state.problems.delete(place);
}
