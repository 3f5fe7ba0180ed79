/* What went wrong at one place of the page, beside the thing that was tried. It can be put away. */
import { h } from "../vendor/vue.js";
import { dismiss } from "../actions/attempt.js";
import { state } from "../store.js";
import { words } from "../words.js";
import { icon } from "./icons.js";

export const Problem = {
  props: { place: { type: String, required: true } },
  render() {
    const text = state.problems.get(this.place);
    return h("div", { role: "alert", class: "problem-place" }, [
      text &&
        h("p", { class: "problem" }, [
          h("span", text),
          h("button", { type: "button", class: "plain", "aria-label": words.close, onClick: () => dismiss(this.place) }, [
            icon("cross"),
          ]),
        ]),
    ]);
  },
};
