/* One person's card: what the trust in their key is, and what one can do about it. */
import { h } from "../../vendor/vue.js";
import { contactPlace, removeContact } from "../../actions/contacts.js";
import { forget, look, withdraw } from "../../actions/people.js";
import { state } from "../../store.js";
import { calledIn, comparisonOf, contactsOf, isVerifiedByCode, openRoom } from "../../views.js";
import { words } from "../../words.js";
import { Confirm } from "../confirm.js";
import { keyDetails } from "./key-details.js";
import { LiveComparison } from "../trust/live-comparison.js";
import { Problem } from "../problem.js";
import { NumberGrid } from "../trust/number-grid.js";
import { Verification } from "../trust/verification.js";

export const Person = {
  props: { user: { type: Object, required: true } },
  mounted() {
    const row = this.$el.closest("li");
    if (row.contains(document.activeElement)) return;
    // Opened from another part of the page: the user, and the keyboard, follow.
    row.scrollIntoView({ block: "nearest" });
    row.querySelector(".person-row").focus({ preventScroll: true });
  },
  render() {
    const { user } = this;
    return h("div", { class: "person-card" }, [
      user.fingerprint_sha256 === null ? unseen(user) : trust(user),
      h(Problem, { place: user.uuid }),
      contactsOf(user.uuid).map(addedAt),
      // While both look at the result there is one question, and nothing beside it to press.
      !isBeingCompared(user) && actions(user),
      keyDetails(words.person.details, user, addressOf(user)),
    ]);
  },
};

/** Both screens have a result, and the user has not said anything about it yet. */
function isBeingCompared(user) {
  return comparisonOf(user)?.state === "shown" && !state.differing.has(user.fingerprint_sha256);
}

/** An address of theirs that the user has given us: it is tried for as long as it stands here. */
function addedAt({ id, addresses }) {
  return h("div", { key: id, class: "row wrap added-at" }, [
    h("span", { class: "note" }, words.contacts.addedAt(addresses.join(", "))),
    h("button", { type: "button", class: "small", onClick: () => removeContact(id) }, words.contacts.removeAddress),
    h(Problem, { place: contactPlace(id) }),
  ]);
}

function unseen(user) {
  return h("div", { class: "unseen" }, [
    h("p", user.online ? words.person.noKey : words.person.noKeyAway),
    user.online && h("button", { type: "button", onClick: () => look(user.uuid) }, words.person.look),
  ]);
}

function trust(user) {
  const { status, safety_number: number, fingerprint_sha256: key } = user;
  // Another key is another question: with it, the card begins anew.
  const live = status !== "rejected" && h(LiveComparison, { user, key: `live ${key}` });
  if (status === "verified")
    return [
      h("p", { class: "trusted" }, contactsOf(user.uuid).some(isVerifiedByCode) ? words.person.verifiedByCode : words.person.verified),
      live,
      h("h3", words.person.number),
      h(NumberGrid, { number }),
      h("p", { class: "note" }, words.person.numberAbout),
    ];
  return [
    status === "rejected" && h("p", { class: "warning" }, words.person.rejected),
    h("h3", words.verification.title(calledIn(user))),
    live,
    // One question at a time: while there is a result to look at, the number does not ask too.
    !isBeingCompared(user) && h(Verification, { user, key }),
  ];
}

function actions(user) {
  const { uuid, status, fingerprint_sha256: key } = user;
  const open = key !== null && (status === "unverified" || status === "changed");
  const confirm = (label, question, act) => h(Confirm, { key: label, label, question, onYes: act });
  return h("div", { class: "row wrap" }, [
    status === "verified" && confirm(words.person.unverify, words.person.unverifySure, () => withdraw(uuid, key)),
    open && confirm(words.person.reject, words.person.rejectSure, () => withdraw(uuid, key)),
    confirm(words.person.forget, words.person.forgetSure, () => forget(uuid)),
  ]);
}

function addressOf(user) {
  return openRoom()?.members.find((member) => member.uuid === user.uuid)?.address;
}
