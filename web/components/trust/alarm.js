/* A key that is not what it was: said once, clearly, with what it may mean and what to do.
 *
 * `conflict` is another key under a verified UUID: the verified one is untouched, and only the user
 * moves trust. `changed` is two keys under one UUID with none verified.
 */
import { h } from "../../vendor/vue.js";
import { showPerson, verify, withdraw } from "../../actions/people.js";
import { fullTime } from "../../time.js";
import { nameOf } from "../../views.js";
import { words } from "../../words.js";
import { Confirm } from "../confirm.js";
import { icon } from "../icons.js";
import { spaced } from "../people/key-details.js";
import { Problem } from "../problem.js";

export const Alarm = {
  props: { user: { type: Object, required: true } },
  render() {
    const { user } = this;
    return h("section", { role: "alert", class: "alarm" }, [
      user.status === "changed" ? changed(user) : [...conflict(user), otherKey(user)],
      h(Problem, { place: user.uuid }),
    ]);
  },
};

function conflict(user) {
  return [
    h("h2", [icon("bang"), words.conflict.title(nameOf(user))]),
    h("p", words.conflict.meaning),
    h("p", { class: "advice" }, words.conflict.advice),
  ];
}

function changed(user) {
  return [
    h("h2", [icon("bang"), words.conflict.changed(nameOf(user))]),
    h("p", words.conflict.changedMeaning),
    h("p", { class: "advice" }, words.conflict.changedAdvice),
    h("button", { type: "button", class: "primary", onClick: () => showPerson(user.uuid) }, words.people.verify),
  ];
}

function otherKey({ uuid, conflict: other }) {
  return [
    h("button", { type: "button", class: "primary refuse", onClick: () => withdraw(uuid, other.fingerprint_sha256) }, words.conflict.refuse),
    h("details", [
      h("summary", words.conflict.fingerprint),
      h("p", { class: "sha256" }, spaced(other.fingerprint_sha256)),
      other.first_seen && h("p", { class: "note" }, words.conflict.seen(other.address, fullTime(other.first_seen))),
      h(Confirm, {
        label: words.conflict.trust,
        question: words.conflict.trustSure,
        yes: words.conflict.trustYes,
        onYes: () => verify(uuid, other.fingerprint_sha256, "click"),
      }),
    ]),
  ];
}
