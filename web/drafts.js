/* What is being typed and drawn, for each room: kept in this tab, so that a reload loses nothing. */
import { ofTab } from "./storage.js";

const draft = (room) => `cryptochat.draft.${room}`;
const sheet = (room) => `cryptochat.sheet.${room}`;

const keep = (key, text) => (text ? ofTab.set(key, text) : ofTab.remove(key));

export const draftOf = (room) => ofTab.get(draft(room)) ?? "";
export const keepDraft = (room, text) => keep(draft(room), text);

/** What was drawn and not sent: `{strokes, authors, description}`, or null. */
export const sheetOf = (room) => JSON.parse(ofTab.get(sheet(room)));
export const keepSheet = (room, drawn) => keep(sheet(room), drawn && JSON.stringify(drawn));
