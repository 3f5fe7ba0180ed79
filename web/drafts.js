/* What is being typed and drawn, for each room: kept in this tab's sessionStorage, so that a reload loses nothing. */
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

const sheetKey = (room) => `cryptochat.sheet.${room}`;

/** What was drawn and not sent: `{strokes, authors, description}`, or null. */
export function sheetOf(room) {
  try {
    return JSON.parse(sessionStorage.getItem(sheetKey(room)));
  } catch {
    return null;
  }
}

export function keepSheet(room, sheet) {
  try {
    if (sheet) sessionStorage.setItem(sheetKey(room), JSON.stringify(sheet));
    else sessionStorage.removeItem(sheetKey(room));
  } catch {
    // As above: it stays on the board.
  }
}
