/* A name that looks like one that is taken: whoever chose it may want to be mistaken for that person.
 *
 * Two people who are both verified may share a name honestly: they are told apart by their UUIDs.
 */
import { h } from "../../vendor/vue.js";
import { state } from "../../store.js";
import { nameByUuid } from "../../views.js";
import { words } from "../../words.js";
import { icon } from "../icons.js";

export function lookalike(user) {
  if (!user?.resembles) return null;
  if (user.status === "verified") return h("span", { class: "namesake" }, words.people.namesake(user.uuid.slice(0, 8)));
  const said = user.resembles === state.info?.uuid
    ? words.people.resemblesYou
    : words.people.resembles(nameByUuid(user.resembles));
  return h("span", { class: "lookalike" }, [icon("bang"), h("span", said)]);
}
