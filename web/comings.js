/* Who comes into a room and who leaves it while the page looks on: "Now entering: Ada".
 *
 * All that happens between two messages is one line, however often somebody comes and goes, and of
 * each person it says the last. So nobody can push what was said off the screen by it.
 */
import { speak, state } from "./store.js";
import { calledIn } from "./views.js";
import { words } from "./words.js";

const MOST_LINES = 100;

const present = (room) => new Map((room?.members ?? []).filter((member) => member.online && !member.self).map((member) => [member.uuid, member]));

/** `before` and `now`: the ROOM as it was, and as it is. */
export function noteComings(before, now) {
  if (!before?.joined || !now.joined) return;
  const [was, is] = [present(before), present(now)];
  const changes = [
    ...[...is.keys()].filter((uuid) => !was.has(uuid)).map((uuid) => [uuid, "entering"]),
    ...[...was.keys()].filter((uuid) => !is.has(uuid)).map((uuid) => [uuid, "leaving"]),
  ];
  if (changes.length > 0) note(now.name, changes);
}

function note(room, changes) {
  const after = state.histories.get(room)?.messages.at(-1)?.id ?? null;
  const lines = state.comings.get(room) ?? [];
  const last = lines.at(-1);
  const joint = last?.after === after ? last : { after, people: new Map() };
  const people = new Map(joint.people);
  for (const [uuid, what] of changes) {
    people.delete(uuid); // so that it stands last again
    people.set(uuid, what);
  }
  speak(room, changes.map(([uuid, what]) => words.conversation[what]([calledIn(state.users.get(uuid) ?? { uuid })], 0)).join(" "));
  const others = joint === last ? lines.slice(0, -1) : lines;
  state.comings.set(room, [...others, { after, people }].slice(-MOST_LINES));
}
