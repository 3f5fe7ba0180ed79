/* What a person can do. Components call these; each asks the program and puts the answer in the store.
 *
 * `attempt` is the one place where a refusal becomes words on the page: beside the thing that was
 * tried (`place`), never in a box that has to be closed before one can go on.
 */
import * as api from "./api.js";
import { asContact } from "./given.js";
import { addMessage, earlierPage, historyOf, setProblem, showRoom, state } from "./store.js";
import { loadNewest } from "./sync.js";
import { words } from "./words.js";

const PAGE = 50;
export const MOST_CONTENT_BYTES = 64 * 1024;

/** Try `work`; true if it was done, else what went wrong stands at `place`. */
async function attempt(place, work) {
  setProblem(place, null);
  try {
    await work();
    return true;
  } catch (error) {
    setProblem(place, error.message || words.problems.unknown);
    return false;
  }
}

export function show(view) {
  state.view = view;
}

export function dismiss(place) {
  setProblem(place, null);
}

export function openRoom(name) {
  showRoom(name);
  show("talk");
  if (!state.rooms.get(name)?.joined || state.histories.has(name)) return;
  return attempt("conversation", () => loadNewest(name));
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

export function send(room, content) {
  return attempt("composer", async () => {
    if (new TextEncoder().encode(content).length > MOST_CONTENT_BYTES) throw new Error(words.composer.tooLong);
    addMessage(await api.send(room, content));
  });
}

export async function loadEarlier(room) {
  const history = historyOf(room);
  const oldest = history.messages[0];
  if (history.whole || history.loading || !oldest) return;
  history.loading = true;
  await attempt("conversation", async () => {
    earlierPage(room, await api.messages(room, { before: oldest.id, limit: PAGE }), PAGE);
  });
  history.loading = false;
}

export function rename(username) {
  return attempt("identity", async () => {
    state.info = await api.rename(username.trim());
  });
}

export function openDialog(name) {
  state.dialog = name;
}

export function closeDialog() {
  for (const place of ["add", "code", "doctor"]) dismiss(place);
  state.dialog = state.offered = state.added = null;
}

/** A link has brought a contact code: it is shown, with the question. Nothing is done with it here. */
export function offerCode(text) {
  state.offered = { text };
  state.added = null;
  dismiss("add");
  openDialog("add");
}

/** Ask for our own contact code, whose addresses are those of now. */
export const loadCode = () =>
  attempt("code", async () => {
    state.code = await api.code();
  });

/** What was given by somebody: a contact code verifies its owner, an address is only looked at. */
export const addContact = (typed) =>
  attempt("add", async () => {
    const given = asContact(typed);
    if (given === null) throw new Error(words.add.typeFirst);
    const contact = await api.addContact(given).catch((error) => {
      throw new Error(words.add.refused(error.code, "address" in given) ?? error.message);
    });
    // Events may have been faster than this answer, and then know more.
    if (!state.contacts.has(contact.id)) state.contacts.set(contact.id, contact);
    state.added = contact.id;
  });

export const removeContact = (id) =>
  attempt(contactPlace(id), async () => {
    await api.removeContact(id);
    state.contacts.delete(id);
  });

export const contactPlace = (id) => `contact ${id}`;

/** What was said of somebody who was found need not be said again. */
export function dismissFound(id) {
  state.found.delete(id);
}

/** Have the program look at the network, and at what it knows of itself. */
export const examine = () =>
  attempt("doctor", async () => {
    state.doctor = await api.doctor();
  });

/** Put a text on the clipboard; false if the browser does not let us. */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** Open somebody's card; where their key was never seen, have the program look at it. */
export function showPerson(uuid) {
  state.person = uuid;
  if (uuid === null) return;
  show("people");
  const user = state.users.get(uuid);
  if (user && user.fingerprint_sha256 === null && user.online) look(uuid);
}

export const look = (uuid) => attempt(uuid, () => api.look(uuid));

/** The user's yes to one key, the one that was on the screen; `method`: "number", "ceremony" or "click". */
export const verify = (uuid, fingerprint, method, place = uuid) =>
  attempt(place, async () => {
    await api.verify(uuid, fingerprint, method);
    state.differing.delete(fingerprint);
  });

/** "Compare now": also the consent to show our certificate to that one key. */
export function compareNow(uuid, fingerprint) {
  state.differing.delete(fingerprint);
  return attempt(comparisonPlace(uuid), () => api.compareNow(uuid, fingerprint));
}

/** Break a comparison off, or take what it has come to from the screen. */
export const endComparison = (uuid) => attempt(comparisonPlace(uuid), () => api.endComparison(uuid));

/** Both screens show the same. */
export const sayTheSame = (uuid, fingerprint) => verify(uuid, fingerprint, "ceremony", comparisonPlace(uuid));

/** They do not: nobody is verified, and the warning stays until the user puts it away. */
export function sayDifferent(uuid, fingerprint) {
  state.differing.add(fingerprint);
  return endComparison(uuid);
}

export function dismissDifference(fingerprint) {
  state.differing.delete(fingerprint);
}

export const comparisonPlace = (uuid) => `comparison ${uuid}`;

/** The user's no: verified becomes unverified, unverified becomes rejected. */
export const withdraw = (uuid, fingerprint) => attempt(uuid, () => api.withdraw(uuid, fingerprint));

export const forget = (uuid) =>
  attempt(uuid, async () => {
    await api.forget(uuid);
    if (state.person === uuid) state.person = null;
  });
