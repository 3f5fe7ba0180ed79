/* What is wrong with the connection to the program, and when it is right again: said in one line. */
import { h } from "../vendor/vue.js";
import { state } from "../store.js";
import { fullTime } from "../time.js";
import { words } from "../words.js";
import { Problem } from "./problem.js";

export const Banner = {
  render: () =>
    h("div", { class: "banners" }, [
      // The live region stays in the page, so that a screen reader notices what is put into it.
      h("div", { role: "status", class: "banner-place" }, [message(), clone(), codeKept()]),
      h(Problem, { place: "page" }),
    ]),
};

function clone() {
  const found = state.info?.clone;
  return found ? h("p", { class: "banner is-clone" }, words.clone(found.address, fullTime(found.first_seen))) : null;
}

/** A link brought a contact code, but there is no token yet: nothing can be done with it, nor is it lost. */
function codeKept() {
  return state.offered && !state.loaded ? h("p", { class: "banner" }, words.add.kept) : null;
}

function message() {
  if (state.link !== "live") return h("p", { class: ["banner", `is-${state.link}`] }, words.link[state.link]);
  return state.returned ? h("p", { class: "banner is-returned" }, words.link.returned) : null;
}
