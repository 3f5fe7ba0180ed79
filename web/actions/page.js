/* What a person can do with the page itself: its parts, its dialogs, the clipboard, the doctor. */
import * as api from "../api.js";
import { state } from "../store.js";
import { attempt, dismiss } from "./attempt.js";

export function show(view) {
  state.view = view;
}

export function openDialog(name) {
  state.dialog = name;
}

export function closeDialog() {
  for (const place of ["add", "code", "doctor", "search"]) dismiss(place);
  state.dialog = state.offered = state.added = null;
}

/** Have the program look at the network, and at what it knows of itself. */
export const examine = () =>
  attempt("doctor", async () => {
    state.doctor = await api.doctor();
  });

/** Put a text on the clipboard; false if the browser does not let us. */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
