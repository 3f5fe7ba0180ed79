/* What a person can do with messages: send them, and read back. */
import * as api from "../api.js";
import { addMessage, earlierPage, historyOf } from "../store.js";
import { words } from "../words.js";
import { attempt } from "./attempt.js";

const PAGE = 50;
export const MOST_CONTENT_BYTES = 64 * 1024;

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
