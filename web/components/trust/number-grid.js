/* The safety number: twelve numbered groups. Those in `covered` are not shown. */
import { h } from "../../vendor/vue.js";
import { groupsOf } from "../../safety.js";
import { words } from "../../words.js";

export const NumberGrid = {
  props: { number: { type: String, required: true }, covered: { type: Array, default: () => [] } },
  render() {
    return h("ol", { class: "number-grid", "aria-label": words.person.number }, groupsOf(this.number).map((group, index) => {
      const hidden = this.covered.includes(index);
      return h("li", { key: index, "data-group": index + 1, class: { covered: hidden } }, [
        h("span", { class: "position", "aria-hidden": "true" }, index + 1),
        hidden ? h("span", { role: "img", "aria-label": words.verification.covered }, "•••••") : h("span", { class: "digits" }, group),
      ]);
    }));
  },
};
