/* The event stream: it is opened, read, and opened again for as long as there is a token.
 *
 * After a break it names the last event that was seen, and the program goes on from there with
 * nothing lost and nothing twice. The program writes a comment at least every 15 s, so a stream that
 * is silent for longer than SILENCE is dead, whatever the browser believes: a machine that slept.
 */
import { openEvents } from "./api.js";
import * as session from "./session.js";
import { EventParser } from "./sse.js";

const SILENCE = 40_000;
const FIRST_WAIT = 400;
const LONGEST_WAIT = 5_000;

/** Until there is no token, or `signal`: `onOpen({resumed, newToken})`, `onEvent(name, data, id)`, `onSign()`
 * at every sign of life, `onLost()`.
 * `seen`: `{id, token}` of the last event, and of the last stream, whoever has read them. */
export async function follow(seen, signal, { onOpen, onEvent, onSign, onLost }) {
  let wait = FIRST_WAIT;
  for (let token = session.current(); token && !signal.aborted; token = session.current()) {
    try {
      await readStream(token, seen, signal, { onEvent, onSign }, (resumed) => {
        wait = FIRST_WAIT;
        onOpen({ resumed, newToken: seen.token !== null && seen.token !== token });
        seen.token = token;
      });
    } catch {
      // Whatever it was, a refused token included, the answer is below: doubt, say so, try again.
    }
    session.doubt();
    if (session.current() === token && !signal.aborted) {
      onLost();
      await patience(wait);
      wait = Math.min(wait * 2, LONGEST_WAIT);
    }
  }
}

async function readStream(token, seen, signal, { onEvent, onSign }, opened) {
  const ending = new AbortController();
  signal.addEventListener("abort", () => ending.abort(), { signal: ending.signal });
  let silence = setTimeout(() => ending.abort(), SILENCE);
  try {
    const response = await openEvents(token, seen.id, ending.signal);
    session.accept(token);
    opened(seen.id !== null);
    const parser = new EventParser();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      clearTimeout(silence);
      silence = setTimeout(() => ending.abort(), SILENCE);
      onSign();
      for (const event of parser.feed(part.value)) {
        if (event.id) seen.id = event.id;
        tell(onEvent, event);
      }
    }
  } finally {
    clearTimeout(silence);
    ending.abort();
  }
}

/** A mistake of ours in one event must not end the stream, nor make it come again and again. */
function tell(onEvent, event) {
  try {
    onEvent(event.event, JSON.parse(event.data), event.id);
  } catch (error) {
    reportError(error);
  }
}

/** Wait, but not when there is a reason to try at once: a token, a network, a person who looks. */
function patience(milliseconds) {
  return new Promise((resolve) => {
    const listening = new AbortController();
    const { signal } = listening;
    const done = () => {
      clearTimeout(timer);
      listening.abort();
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    session.changes.addEventListener("token", done, { signal });
    addEventListener("online", done, { signal });
    document.addEventListener("visibilitychange", done, { signal });
  });
}
