/* Comparing safety numbers so that people do it right.
 *
 * The number is 12 groups of 5 digits, the same on both screens if nobody sits in between. People
 * skim long numbers, so the page asks for two groups at positions that are chosen anew each time,
 * which the other person reads out, and compares them itself. Each group depends on both keys: who
 * wants to pass with another key has one chance in 10^10 to have both groups right, and can't know
 * beforehand which ones will be asked for.
 */

/** The groups of a number, as strings. */
export function groupsOf(number) {
  return number.split(" ");
}

/** Two different positions below `count`, in order, chosen by the browser's secure generator. */
export function twoPositions(count) {
  const first = below(count);
  const second = (first + 1 + below(count - 1)) % count;
  return [first, second].sort((a, b) => a - b);
}

/** Whether what was typed is this group; spaces and dashes do not matter. */
export function isGroup(typed, group) {
  return digitsOf(typed) === group;
}

export function digitsOf(typed) {
  return typed.normalize("NFKC").replace(/[^0-9]/g, "");
}

/** A number below `count`, each as likely: 2^32 is not a multiple of 12, so the rest is thrown away. */
function below(count) {
  const fair = 2 ** 32 - (2 ** 32 % count);
  const random = new Uint32Array(1);
  do crypto.getRandomValues(random);
  while (random[0] >= fair);
  return random[0] % count;
}
