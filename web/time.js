/* Times as people say them, in their own language and zone. The program sends RFC 3339 in UTC. */
import { words } from "./words.js";

// In the words' language; in the form of the reader's region where that is the same language.
const locale = navigator.language.split("-")[0] === words.language ? navigator.language : words.language;
const clock = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit" });
const date = new Intl.DateTimeFormat(locale, { weekday: "long", day: "numeric", month: "long" });
const full = new Intl.DateTimeFormat(locale, { dateStyle: "full", timeStyle: "medium" });

export const clockTime = (time) => clock.format(new Date(time));
export const fullTime = (time) => full.format(new Date(time));
export const dayKey = (time) => new Date(time).toDateString();

export function dayName(time, now = new Date()) {
  const day = dayKey(time);
  if (day === now.toDateString()) return words.today;
  const before = new Date(now);
  before.setDate(now.getDate() - 1);
  return day === before.toDateString() ? words.yesterday : date.format(new Date(time));
}
