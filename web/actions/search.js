/* What a person can do with the search: look for words, look further back, and go to the place. */
import * as api from "../api.js";
import { showRoom, state } from "../store.js";
import { loadAround } from "../sync.js";
import { attempt } from "./attempt.js";
import { closeDialog, show } from "./page.js";

const AT_ONCE = 30;

/** What is typed is looked for; of several requests under way the last one counts. */
export function search(typed) {
  state.search = { typed, found: typed.trim() === "" ? null : state.search.found, more: false };
  if (typed.trim() === "") return;
  return attempt("search", async () => {
    const found = await api.search(typed, { limit: AT_ONCE });
    if (state.search.typed === typed) state.search = { typed, found, more: found.length === AT_ONCE };
  });
}

export const searchFurther = () =>
  attempt("search", async () => {
    const { typed, found } = state.search;
    const older = await api.search(typed, { limit: AT_ONCE, before: found.at(-1).id });
    if (state.search.typed === typed) state.search = { typed, found: [...found, ...older], more: older.length === AT_ONCE };
  });

/** Bring a message into view, wherever it is. */
export async function jumpTo({ room, id }) {
  closeDialog();
  showRoom(room);
  show("talk");
  await attempt("conversation", async () => {
    if (!(state.histories.get(room)?.indexOf(id) >= 0)) await loadAround(room, id);
    state.histories.get(room).target = id;
  });
}
