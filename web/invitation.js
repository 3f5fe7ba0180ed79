/* A contact code that comes in the address: `/#add=CODE`, a link that somebody was given.
 *
 * Anybody can make such a link, and any web page can open it here. So it adds nobody: the code is
 * handed on to be shown, with the question where it comes from, and only the user's own press of the
 * button sends it (components/add-someone.js). The fragment is removed at once, so it does not stay
 * in the history. A page that has no token yet keeps the code until it has one.
 */
const MOST = 2_000; // characters: many times more than a contact code has

/** Begin: `offer(text)` is told of each code, also of one in a link that is pasted into an open tab. */
export function start(offer) {
  const take = () => {
    const code = new URLSearchParams(location.hash.slice(1)).get("add");
    if (code === null) return;
    history.replaceState(null, "", location.pathname);
    offer(code.slice(0, MOST));
  };
  addEventListener("hashchange", take);
  take();
}
