/* Questions that components ask of the store. Nothing here changes anything. */
import { state } from "./store.js";
import { words } from "./words.js";

const COLLATOR = new Intl.Collator(undefined, { sensitivity: "base", numeric: true });
const HUES = 10;

const byName = (a, b) => COLLATOR.compare(a.name, b.name);

export function joinedRooms() {
  return [...state.rooms.values()].filter((room) => room.joined).sort(byName);
}

export function roomsNearby() {
  return [...state.rooms.values()].filter((room) => !room.joined).sort(byName);
}

export function openRoom() {
  return state.rooms.get(state.room) ?? null;
}

/** Everyone but ourselves, by UUID. */
export function others() {
  return [...state.users.values()].filter((user) => user.uuid !== state.info?.uuid);
}

/** The members of a room but ourselves, as users; a member that is not listed yet is made up of what is known. */
export function peopleIn(room) {
  const members = (room?.members ?? []).filter((member) => !member.self);
  return members.map((member) => state.users.get(member.uuid) ?? { ...UNSEEN, ...member }).sort(byPerson);
}

const UNSEEN = { fingerprint: null, fingerprint_sha256: null, safety_number: null, pending: false, conflict: null };

export function peopleElsewhere(room) {
  const here = new Set((room?.members ?? []).map((member) => member.uuid));
  return others().filter((user) => !here.has(user.uuid)).sort(byPerson);
}

/** Who waits for the user's answer. */
export function asking() {
  return others().filter((user) => asksToCompare(user) || isPending(user)).sort(byPerson);
}

const isPending = (user) => user.pending && user.status !== "verified" && user.status !== "rejected";

/** The comparison that is about the key on the card: another key of that UUID has no say here. */
export function comparisonOf(user) {
  const { comparison = null, fingerprint_sha256: key } = user;
  return comparison !== null && comparison.fingerprint_sha256 === key ? comparison : null;
}

/** Who has pressed "compare now" and waits for us to. */
export const asksToCompare = (user) => comparisonOf(user)?.state === "asked" && user.status !== "rejected";

/** Whom the user has added and who was not found yet, the newest last. */
export function sought() {
  return [...state.contacts.values()].filter((contact) => contact.state !== "found").sort(byAdded);
}

/** Those who were found since, until it was read. */
export function justFound() {
  return [...state.contacts.values()].filter((contact) => contact.state === "found" && state.found.has(contact.id)).sort(byAdded);
}

/** What the user has added for that person. */
export function contactsOf(uuid) {
  return [...state.contacts.values()].filter((contact) => contact.uuid === uuid).sort(byAdded);
}

const byAdded = (a, b) => Date.parse(a.added) - Date.parse(b.added);

/** Whether it was their contact code that the user has verified them by. */
export function isVerifiedByCode({ by, uuid }) {
  return by === "code" && state.users.get(uuid)?.status === "verified";
}

/** How somebody can be reached; of a member who is not listed yet only "online" is known. */
export function reachabilityOf({ reachability, online }) {
  return reachability ?? (online ? "announced" : "away");
}

/** Whose key is not what it was: shown above everything else. */
export function alarming() {
  return others().filter((user) => user.conflict || user.status === "changed").sort(byPerson);
}

function byPerson(a, b) {
  return Number(b.online) - Number(a.online) || COLLATOR.compare(nameOf(a), nameOf(b));
}

/** A name to use within a sentence. */
export function nameOf(user) {
  return user.username || words.people.nameless(user.uuid.slice(0, 8));
}

/** Whether a name is only announced: it never came in a message under a verified key. */
export function onlyClaimed(user) {
  return Boolean(user.username) && !user.username_verified;
}

/** The same where it may only be claimed: in quotes then. */
export const calledIn = (user) => (onlyClaimed(user) ? words.people.claimed(user.username) : nameOf(user));

/** The name of a message's recipient or sender. */
export function nameByUuid(uuid) {
  if (uuid === state.info?.uuid) return state.info.username;
  return nameOf(state.users.get(uuid) ?? { uuid });
}

/** Whose strokes, beside its sender's, are in a drawing; `known`: they came here before under that very key. */
export function authorsOf({ drawing }) {
  const found = new Map();
  for (const { author, known = false } of drawing.strokes) {
    const claimed = drawing.authors?.[author];
    if (claimed) found.set(`${author} ${known}`, { key: claimed.fingerprint_sha256, known, name: known ? nameByKey(claimed) : claimed.username });
  }
  return [...found.values()];
}

function nameByKey({ fingerprint_sha256: key, username }) {
  if (key === state.info?.fingerprint_sha256) return state.info.username;
  const user = [...state.users.values()].find((one) => one.fingerprint_sha256 === key);
  return user ? nameOf(user) : username;
}

/** How many of our messages, as far as they are loaded, wait for this person. */
export function waitingFor(uuid) {
  let count = 0;
  for (const { messages } of state.histories.values())
    for (const message of messages)
      if (message.deliveries?.some((delivery) => delivery.uuid === uuid && delivery.state === "waiting")) count += 1;
  return count;
}

/** Whether a message of somebody else names the user: "@Ada". */
export function namesMe({ own, content }) {
  return !own && mentions(content).some((part) => part.mine);
}

/** A text in parts; `mine`: it is the user's own name with an @ before it. */
export function mentions(content) {
  const name = state.info?.username;
  if (!name || !content.includes("@")) return [{ text: content }];
  const pattern = new RegExp(`(?<![\\p{L}\\p{N}])(@${name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")})(?![\\p{L}\\p{N}])`, "iu");
  return content.split(pattern).map((text, index) => ({ text, mine: index % 2 === 1 }));
}

/** Who gets what is sent now, counted for the line above Send. */
export function audience(room) {
  const people = peopleIn(room).filter((user) => user.status !== "rejected");
  const verified = people.filter((user) => user.status === "verified");
  return {
    all: people.length,
    verified: verified.filter((user) => user.online).length,
    away: verified.filter((user) => !user.online).length,
    undecided: people.filter((user) => user.status !== "verified"),
  };
}

/** The class of somebody's colour: it follows the key's UUID, so two people of one name differ. */
export function hueOf(uuid) {
  let sum = 0;
  for (const character of uuid) sum = (sum * 31 + character.charCodeAt(0)) % 9973;
  return `hue-${sum % HUES}`;
}
