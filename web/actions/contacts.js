/* What a person can do with contact codes: show our own, and add somebody by theirs. */
import * as api from "../api.js";
import { asContact } from "../given.js";
import { state } from "../store.js";
import { words } from "../words.js";
import { attempt, dismiss } from "./attempt.js";
import { openDialog } from "./page.js";

/** A link has brought a contact code: it is shown, with the question. Nothing is done with it here. */
export function offerCode(text) {
  state.offered = { text };
  state.added = null;
  dismiss("add");
  openDialog("add");
}

/** Ask for our own contact code, whose addresses are those of now. */
export const loadCode = () =>
  attempt("code", async () => {
    state.code = await api.code();
  });

/** What was given by somebody: a contact code verifies its owner, an address is only looked at. */
export const addContact = (typed) =>
  attempt("add", async () => {
    const given = asContact(typed);
    if (given === null) throw new Error(words.add.typeFirst);
    const contact = await api.addContact(given).catch((error) => {
      throw new Error(words.add.refused(error.code, "address" in given) ?? error.message);
    });
    // Events may have been faster than this answer, and then know more.
    if (!state.contacts.has(contact.id)) state.contacts.set(contact.id, contact);
    state.added = contact.id;
  });

export const removeContact = (id) =>
  attempt(contactPlace(id), async () => {
    await api.removeContact(id);
    state.contacts.delete(id);
  });

export const contactPlace = (id) => `contact ${id}`;

/** What was said of somebody who was found need not be said again. */
export function dismissFound(id) {
  state.found.delete(id);
}
