/* Hides `trustedTypes` from Vue, before Vue loads.
 *
 * The page's policy says `require-trusted-types-for 'script'; trusted-types 'none'`: no string may
 * become markup or script, and no policy may be made that would allow it. Vue asks for such a policy
 * when it is loaded, which the browser refuses and reports as a violation. Vue asks only if the
 * global exists, so it is shadowed here. The browser goes on enforcing: what it checks is not this
 * variable but every assignment to innerHTML and its like.
 */
"use strict";
Object.defineProperty(globalThis, "trustedTypes", { value: undefined });
