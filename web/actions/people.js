/* What a person can do about people, themself among them: names, keys and trust. */
import * as api from "../api.js";
import { state } from "../store.js";
import { attempt } from "./attempt.js";
import { show } from "./page.js";

export function rename(username) {
  return attempt("identity", async () => {
    state.info = await api.rename(username.trim());
  });
}

/** Open somebody's card; where their key was never seen, have the program look at it. */
export function showPerson(uuid) {
  state.person = uuid;
  if (uuid === null) return;
  show("people");
  const user = state.users.get(uuid);
  if (user && user.fingerprint_sha256 === null && user.online) look(uuid);
}

export const look = (uuid) => attempt(uuid, () => api.look(uuid));

/** The user's yes to one key, the one that was on the screen; `method`: "number", "ceremony" or "click". */
export const verify = (uuid, fingerprint, method, place = uuid) =>
  attempt(place, async () => {
    await api.verify(uuid, fingerprint, method);
    state.differing.delete(fingerprint);
  });

/** "Compare now": also the consent to show our certificate to that one key. */
export function compareNow(uuid, fingerprint) {
  state.differing.delete(fingerprint);
  return attempt(comparisonPlace(uuid), () => api.compareNow(uuid, fingerprint));
}

/** Break a comparison off, or take what it has come to from the screen. */
export const endComparison = (uuid) => attempt(comparisonPlace(uuid), () => api.endComparison(uuid));

/** Both screens show the same. */
export const sayTheSame = (uuid, fingerprint) => verify(uuid, fingerprint, "ceremony", comparisonPlace(uuid));

/** They do not: nobody is verified, and the warning stays until the user puts it away. */
export function sayDifferent(uuid, fingerprint) {
  state.differing.add(fingerprint);
  return endComparison(uuid);
}

export function dismissDifference(fingerprint) {
  state.differing.delete(fingerprint);
}

export const comparisonPlace = (uuid) => `comparison ${uuid}`;

/** The user's no: verified becomes unverified, unverified becomes rejected. */
export const withdraw = (uuid, fingerprint) => attempt(uuid, () => api.withdraw(uuid, fingerprint));

export const forget = (uuid) =>
  attempt(uuid, async () => {
    await api.forget(uuid);
    if (state.person === uuid) state.person = null;
  });
