/* Times as people say them, in their own language and zone. The program sends RFC 3339 in UTC.
 *
 * `ago` is reactive: what shows it is shown anew as time goes by (`startClock`), without a request.
 */
import { ref } from "./vendor/vue.js";
import { words } from "./words.js";

// In the words' language; in the form of the reader's region where that is the same language.
const locale = words.locale ?? (navigator.language.split("-")[0] === words.language ? navigator.language : words.language);
const clock = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit" });
const date = new Intl.DateTimeFormat(locale, { weekday: "long", day: "numeric", month: "long" });
const full = new Intl.DateTimeFormat(locale, { dateStyle: "full", timeStyle: "medium" });
const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });

const TICK = 10_000;
const NOW_ENOUGH = 45; // seconds
const UNITS = [["day", 86_400], ["hour", 3_600], ["minute", 60]];
const now = ref(Date.now());

export function startClock() {
  setInterval(() => (now.value = Date.now()), TICK);
}

/** "2 minutes ago". A time that has just come may be ahead of the last tick: that is now. */
export function ago(time) {
  const seconds = (now.value - Date.parse(time)) / 1000;
  if (seconds < NOW_ENOUGH) return words.justNow;
  const [unit, length] = UNITS.find(([, length]) => seconds >= length) ?? UNITS.at(-1);
  return relative.format(-Math.max(1, Math.floor(seconds / length)), unit);
}

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
