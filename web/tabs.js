/* One event stream for all tabs of the page.
 *
 * A browser opens six connections to one program at most, and each tab would use one up. So the tabs
 * agree on one that leads (a Web Lock: whoever has it, has it until the tab is gone), which follows
 * the stream and passes on what it hears. When it is closed, the next one goes on after the last
 * event that it has heard itself: nothing is lost and nothing comes twice.
 *
 * A tab without a token does not lead, nor does one whose token was refused.
 */
import { follow } from "./events.js";
import * as session from "./session.js";

const NAME = "cryptochat.events";
const channel = new BroadcastChannel(NAME);
const seen = { id: null, token: null };

let leading = false;
let open = false; // the stream is, in this tab

/** For ever: `onOpen({resumed, newToken})`, `onEvent(name, data)`, `onLost()`, `onLead(leading)`. */
export async function share({ onOpen, onEvent, onLost, onLead }) {
  channel.onmessage = ({ data }) => {
    if (data.say === "hello") return open && channel.postMessage({ say: "open", resumed: true, newToken: false });
    if (leading) return;
    if (data.say === "open") onOpen(data);
    else if (data.say === "lost") onLost();
    else {
      if (data.id) seen.id = data.id;
      onEvent(data.name, data.data);
    }
  };
  session.changes.addEventListener("token", () => channel.postMessage({ say: "hello" }));
  for (;;) {
    await session.available();
    channel.postMessage({ say: "hello" });
    await navigator.locks.request(NAME, async () => {
      leading = true;
      onLead(true);
      await follow(seen, {
        onOpen: (how) => {
          open = true;
          channel.postMessage({ say: "open", ...how });
          onOpen(how);
        },
        onEvent: (name, data, id) => {
          channel.postMessage({ say: "event", name, data, id });
          onEvent(name, data);
        },
        onLost: () => {
          open = false;
          channel.postMessage({ say: "lost" });
          onLost();
        },
      });
      open = leading = false;
      onLead(false);
    });
  }
}
