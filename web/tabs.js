/* One event stream for all tabs of the page.
 *
 * A browser opens six connections to one program at most, and each tab would use one up. So the tabs
 * agree on one that leads (a Web Lock: whoever has it, has it until the tab is gone), which follows
 * the stream and passes on what it hears. When it is closed, the next one goes on after the last
 * event that it has heard itself: nothing is lost and nothing comes twice.
 *
 * A tab without a token does not lead, nor does one whose token was refused. One that leads and says
 * nothing for SILENCE, because it is stopped or is no page of ours any more, has the lock taken from it.
 */
import { follow } from "./events.js";
import * as session from "./session.js";

const NAME = "cryptochat.events";
const SILENCE = 60_000; // the program says something every 15 s at least, and the leading tab passes it on
const LOOK_EVERY = 10_000;
const channel = new BroadcastChannel(NAME);
const seen = { id: null, token: null };

let handlers = null;
let leading = null; // an AbortController while this tab leads
let open = false; // the stream is, in this tab
let heard = performance.now(); // when the leading tab last said something

/** For ever: `onOpen({resumed, newToken})`, `onEvent(name, data)`, `onLost()`, `onLead(leading)`. */
export async function share(given) {
  handlers = given;
  channel.onmessage = ({ data }) => hear(data);
  session.changes.addEventListener("token", () => channel.postMessage({ say: "hello" }));
  for (;;) {
    await session.available();
    channel.postMessage({ say: "hello" });
    await takeTurn();
  }
}

function hear({ say, ...said }) {
  if (say === "hello") return open && channel.postMessage({ say: "open", resumed: true, newToken: false });
  if (leading) return;
  heard = performance.now();
  if (say === "open") handlers.onOpen(said);
  else if (say === "lost") handlers.onLost();
  else if (say === "event") {
    if (said.id) seen.id = said.id;
    handlers.onEvent(said.name, said.data);
  }
}

/** Wait for the lock and lead; or, if the tab that has it says nothing any more, take it. */
async function takeTurn() {
  const waiting = new AbortController();
  heard = performance.now();
  const looking = setInterval(() => !leading && performance.now() - heard > SILENCE && waiting.abort(), LOOK_EVERY);
  try {
    await navigator.locks.request(NAME, { signal: waiting.signal }, lead);
  } catch {
    // It was taken from this tab, whose stream then ends; or it is this tab's turn to take it.
    leading?.abort();
    if (waiting.signal.aborted) await navigator.locks.request(NAME, { steal: true }, lead).catch(() => leading?.abort());
  } finally {
    clearInterval(looking);
  }
}

async function lead() {
  const mine = (leading = new AbortController());
  handlers.onLead(true);
  const tell = (said) => mine.signal.aborted || channel.postMessage(said); // not if another tab has taken the lead
  await follow(seen, mine.signal, {
    onOpen: (how) => {
      open = true;
      tell({ say: "open", ...how });
      handlers.onOpen(how);
    },
    onEvent: (name, data, id) => {
      tell({ say: "event", name, data, id });
      handlers.onEvent(name, data);
    },
    onSign: () => tell({ say: "alive" }),
    onLost: () => {
      open = false;
      tell({ say: "lost" });
      handlers.onLost();
    },
  });
  if (leading !== mine) return;
  open = false;
  leading = null;
  handlers.onLead(false);
}
