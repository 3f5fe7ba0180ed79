/* What somebody was given to find a person by: a contact code, a link around one, or an address.
 *
 * Only an address is recognised here, since it is asked for in another way, and verifies nobody.
 * Everything else is the program's to read: were codes read here too, the page could say one name
 * while the program reads another one out of the same text.
 */
const ADDRESS = /^(\[[^\s\]]+\]|[^\s:/?#@[\]]+):\d{1,5}$/;

export const isAddress = (typed) => ADDRESS.test(typed.trim());

/** The body of the request: `{address}`, `{code}`, or null if nothing was typed. */
export function asContact(typed) {
  const text = typed.trim();
  if (text === "") return null;
  return isAddress(text) ? { address: text } : { code: text };
}
