/* What is being typed, for each room: kept in this tab's sessionStorage, so that a reload loses nothing. */
const key = (room) => `cryptochat.draft.${room}`;

export function draftOf(room) {
  return sessionStorage.getItem(key(room)) ?? "";
}

export function keepDraft(room, text) {
  try {
    if (text) sessionStorage.setItem(key(room), text);
    else sessionStorage.removeItem(key(room));
  } catch {
    // The storage is full: the text stays in the field, it only would not survive a reload.
  }
}
