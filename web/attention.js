/* How the page asks for attention while nobody looks at it: a number in its title, a notification.
 *
 * A notification says who and where, never what was said: it may be seen by whoever passes by. Of
 * several tabs one shows it, the one that has the stream, and none while any of them is in view.
 */
import { areAllowed } from "./actions/notifications.js";
import { openRoom } from "./actions/rooms.js";
import { state, unreadIn } from "./store.js";
import { watch } from "./vendor/vue.js";
import { joinedRooms } from "./views.js";
import { words } from "./words.js";

const IN_VIEW = "cryptochat.in-view";

export function startAttention() {
  watch(() => joinedRooms().reduce((sum, { name }) => sum + unreadIn(name), 0), (unread) => {
    document.title = unread > 0 ? words.unreadTitle(unread) : words.title;
  });
  watch(() => state.latest, notify);
  document.addEventListener("visibilitychange", sayInView);
  sayInView();
}

/** Every tab that is in view holds this lock, together with the others. */
let endView = null;
function sayInView() {
  const visible = document.visibilityState === "visible";
  if (visible && !endView) navigator.locks.request(IN_VIEW, { mode: "shared" }, inView);
  else if (!visible && endView) endView = endView();
}

/** Until it is not in view any more; it may not be already, when the lock is given. */
function inView() {
  return document.visibilityState === "visible" && new Promise((end) => (endView = end));
}

async function isInView() {
  return (await navigator.locks.query()).held.some((lock) => lock.name === IN_VIEW);
}

async function notify({ room, sender }) {
  if (!state.leading || !areAllowed() || (await isInView())) return;
  const notification = new Notification(words.notifications.title(sender.username), { body: words.notifications.body(room), tag: room, icon: "/icon.svg" });
  notification.onclick = () => {
    window.focus();
    openRoom(room);
    notification.close();
  };
}
