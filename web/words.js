/* The words of the page in the reader's language. To add one: a file like words/en.js, and a line here. */
import { english } from "./words/en.js";

const languages = { en: english };
const wanted = navigator.languages.map((tag) => tag.split("-")[0]);

export const words = languages[wanted.find((tag) => tag in languages) ?? "en"];

/** Tell the document which language it speaks, and in which direction. */
export function dress(root) {
  root.lang = words.language;
  root.dir = words.direction;
}
