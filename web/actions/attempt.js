/* How everything that a person can do is tried: the one place where a refusal becomes words on the page.
 *
 * They stand beside the thing that was tried (`place`), never in a box that has to be closed before
 * one can go on.
 */
import { setProblem } from "../store.js";
import { words } from "../words.js";

/** Try `work`; true if it was done, else what went wrong stands at `place`. */
export async function attempt(place, work) {
  setProblem(place, null);
  try {
    await work();
    return true;
  } catch (error) {
    setProblem(place, error.message || words.problems.unknown);
    return false;
  }
}

/** What went wrong at `place`, where nothing was asked of the program; null: nothing any more. */
export function report(place, text) {
  setProblem(place, text);
}

export function dismiss(place) {
  setProblem(place, null);
}
