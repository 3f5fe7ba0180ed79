/* Whether somebody can be reached, as far as is known: what was announced is not yet an answer. */
import { h } from "../../vendor/vue.js";
import { ago, fullTime } from "../../time.js";
import { reachabilityOf } from "../../views.js";
import { words } from "../../words.js";

export function presence(user) {
  const reachability = reachabilityOf(user);
  return h("span", { class: ["presence", reachability] }, said(reachability, user));
}

function said(reachability, { seen, trouble }) {
  if (reachability === "silent") return words.people.silent(words.people.troubles[trouble] ?? trouble);
  if (reachability === "reachable" && trouble)
    return `${words.people.reachable} (${words.people.troubles[trouble] ?? trouble})`;
  if (reachability !== "away" || !seen) return words.people[reachability] ?? words.people.away;
  return h("time", { datetime: seen, title: fullTime(seen) }, words.people.seen(ago(seen)));
}
