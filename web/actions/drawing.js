/* What a person can do with a drawing: send it, or take somebody's up to go on with it. */
import * as api from "../api.js";
import { sheetOf } from "../drafts.js";
import { countsOf, decode } from "../drawing/strokes.js";
import { markRaw } from "../vendor/vue.js";
import { state } from "../store.js";
import { words } from "../words.js";
import { attempt } from "./attempt.js";
import { sent } from "./messages.js";
import { openDialog } from "./page.js";

const FLIP_BOOK_PAGES = 24;

/** Without a description, a summary in the page's language; in the program's own, it makes one itself. */
export function sendDrawing(room, drawing, typed) {
  const description = typed || words.drawing.summary?.(countsOf(drawing)) || "";
  return attempt("composer", async () => sent(room, await api.sendDrawing(room, drawing, description)));
}

/** The flip-book of a room: its last drawings, the oldest first. */
export function openFlipBook(room) {
  return attempt("conversation", async () => {
    const found = await api.messages(room, { limit: FLIP_BOOK_PAGES, kind: "drawing" });
    const pages = found.filter((message) => message.drawing);
    if (pages.length === 0) return;
    state.flipBook = markRaw(pages);
    openDialog("flip");
  });
}

/** Open the board with a copy of what `message` shows, each stroke under the name of whoever drew it. */
export function takeUp(message) {
  const own = state.info.fingerprint_sha256;
  const authors = [...(message.drawing.authors ?? [])];
  const sender = senderOf(message);
  const strokes = message.drawing.strokes.map((stroke) => {
    const { known, ...copy } = decode(stroke);
    if (copy.author === undefined && !message.own && sender) copy.author = placeOf(authors, sender);
    return copy;
  });
  const mine = authors.findIndex((author) => author.fingerprint_sha256 === own);
  for (const stroke of strokes) if (stroke.author === mine) delete stroke.author;
  state.board = markRaw({ room: message.room, strokes, authors, description: "" });
}

function senderOf({ sender }) {
  const key = state.users.get(sender.uuid)?.fingerprint_sha256;
  return key && { fingerprint_sha256: key, username: sender.username };
}

function placeOf(authors, author) {
  const at = authors.findIndex((one) => one.fingerprint_sha256 === author.fingerprint_sha256);
  return at < 0 ? authors.push(author) - 1 : at;
}

export function openBoard(room) {
  state.board = markRaw({ room, strokes: [], authors: [], description: "", ...sheetOf(room) });
}

export function closeBoard() {
  state.board = null;
}
