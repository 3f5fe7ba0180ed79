/* The words of the page in the reader's language: the one that was chosen, else the browser's first that there is.
 *
 * To add a language: a file like words/en.js, of the same shape, and a line here.
 */
import { ofBrowser } from "./storage.js";

export const LANGUAGES = { en: "English", ar: "العربية" };

const KEY = "cryptochat.language";
const tags = [ofBrowser.get(KEY), ...navigator.languages.map((tag) => tag.split("-")[0])];
const language = tags.find((tag) => Object.hasOwn(LANGUAGES, tag)) ?? "en";

export const { words } = await import(`./words/${language}.js`);

/** Tell the document which language it speaks, and in which direction. */
export function dress(root) {
  root.lang = words.language;
  root.dir = words.direction;
}

/** From now on, in every tab that is opened; this one is opened anew, and keeps what is being typed. */
export function choose(tag) {
  ofBrowser.set(KEY, tag);
  location.reload();
}
