/* Whom the user has added: looked for until they are found, with the reason why they are not yet. */
import { h, nextTick } from "../../vendor/vue.js";
import { contactPlace, dismissFound, removeContact } from "../../actions/contacts.js";
import { closeDialog } from "../../actions/page.js";
import { showPerson } from "../../actions/people.js";
import { state } from "../../store.js";
import { isVerifiedByCode, justFound, nameOf, sought } from "../../views.js";
import { words } from "../../words.js";
import { icon } from "../icons.js";
import { Problem } from "../problem.js";

/** In the list of people: those who are looked for, and, read out once, those who were just found. */
export function contacts() {
  const looking = sought();
  return h("section", { class: "contacts", "aria-label": words.contacts.title }, [
    // The live region stays in the page, so that a screen reader notices what is put into it.
    h("div", { role: "status" }, justFound().map(contactCard)),
    looking.length > 0 && h("h2", words.contacts.title),
    looking.length > 0 && h("ul", looking.map((contact) => h("li", { key: contact.id }, contactCard(contact)))),
  ]);
}

export function contactCard(contact) {
  const { id, uuid, state: reached } = contact;
  const found = reached === "found";
  return h("div", { key: id, class: ["contact", `is-${reached}`], "data-contact": id }, [
    h("p", { class: "contact-who" }, [icon(found ? "check" : "search"), h("bdi", whose(contact))]),
    h("p", { class: "note" }, saying(contact)),
    h("div", { class: "row wrap" }, [
      found && state.users.has(uuid) && h("button", { type: "button", class: "small", onClick: () => open(contact) }, words.contacts.show),
      found
        ? state.found.has(id) && h("button", { type: "button", class: "small", onClick: () => dismissFound(id) }, words.contacts.read)
        : h("button", { type: "button", class: "small remove", "aria-label": words.contacts.removeNamed(whose(contact)), onClick: remove(id) }, words.contacts.remove),
    ]),
    h(Problem, { place: contactPlace(id) }),
  ]);
}

/** A name only for somebody who was found: until then a code or an address is all that we know. */
function whose({ uuid, addresses, state: reached }) {
  const user = state.users.get(uuid);
  if (reached === "found" && user) return user.username_verified ? nameOf(user) : user.username ? words.people.callsItself(user.username) : nameOf(user);
  return uuid ? words.people.nameless(uuid.slice(0, 8)) : addresses.join(", ");
}

function saying(contact) {
  const { by, state: reached, reason, addresses } = contact;
  if (reached !== "found") return words.contacts.looking(addresses.join(", "), reason && (words.contacts.reasons[reason] ?? reason), by === "code");
  if (isVerifiedByCode(contact)) return words.contacts.byCode;
  return by === "code" ? words.contacts.foundByCode : words.contacts.foundByAddress;
}

function open({ id, uuid }) {
  dismissFound(id);
  closeDialog();
  showPerson(uuid);
}

/** The button goes with what it removes: the focus goes on to the next place where somebody is added. */
const remove = (id) => async (event) => {
  const around = event.target.closest("dialog, .people");
  if (!(await removeContact(id))) return;
  await nextTick();
  around?.querySelector("textarea, .add-someone")?.focus();
};
