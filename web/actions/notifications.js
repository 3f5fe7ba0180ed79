/* What a person can say about notifications: yes, or no. Asked once, after the first message of their own. */
import { state } from "../store.js";
import { ofBrowser } from "../storage.js";

const KEY = "cryptochat.notifications";
const NO = "no";

const permission = () => globalThis.Notification?.permission ?? "denied";

/** The browser allows them, in whichever tab that was said, and the user has not said no to us. */
export const areAllowed = () => permission() === "granted" && ofBrowser.get(KEY) !== NO;

/** A good moment: somebody has just said something, and may wait for an answer. */
export function offerNotifications() {
  state.offersNotifications = permission() === "default" && ofBrowser.get(KEY) !== NO;
}

export async function allowNotifications() {
  await Notification.requestPermission();
  state.offersNotifications = false;
}

export function declineNotifications() {
  ofBrowser.set(KEY, NO);
  state.offersNotifications = false;
}
