/* What a person can say about notifications: yes, or no. Asked once, after the first message of their own. */
import { state } from "../store.js";
import { ofBrowser } from "../storage.js";

const KEY = "cryptochat.notifications";

/** "ask": the question may be put; "asked": it is on the page; "on" or "off". */
export function startNotifications() {
  const permission = globalThis.Notification?.permission ?? "denied";
  if (permission === "granted") state.notifications = ofBrowser.get(KEY) === "off" ? "off" : "on";
  else state.notifications = permission === "denied" || ofBrowser.get(KEY) === "off" ? "off" : "ask";
}

/** A good moment: somebody has just said something, and may wait for an answer. */
export function offerNotifications() {
  if (state.notifications === "ask") state.notifications = "asked";
}

export async function allowNotifications() {
  state.notifications = (await Notification.requestPermission()) === "granted" ? "on" : "off";
}

export function declineNotifications() {
  ofBrowser.set(KEY, "off");
  state.notifications = "off";
}
