/* Who you are here: your name, which you can change, and your own key under details. */
import { h, nextTick, ref } from "../../vendor/vue.js";
import { dismiss } from "../../actions/attempt.js";
import { rename } from "../../actions/people.js";
import { state } from "../../store.js";
import { hueOf } from "../../views.js";
import { LANGUAGES, choose, words } from "../../words.js";
import { icon } from "../icons.js";
import { keyDetails } from "./key-details.js";
import { Problem } from "../problem.js";

export const Identity = {
  setup() {
    const typed = ref(null); // null: not being changed
    const field = ref(null);
    const begin = async () => {
      typed.value = state.info.username;
      await nextTick();
      field.value.select();
    };
    const end = () => {
      typed.value = null;
      dismiss("identity");
    };
    const save = async (event) => {
      event.preventDefault();
      if (await rename(typed.value)) end();
    };
    return () =>
      h("section", { class: "identity", "aria-label": words.identity.label }, [
        h("span", { class: ["tag", hueOf(state.info.uuid)] }, state.info.username),
        h("button", { type: "button", class: "plain edit-name", "aria-label": words.identity.edit, onClick: begin }, [
          icon("pencil"),
        ]),
        typed.value !== null && panel(typed, field, save, end),
      ]);
  },
};

function panel(typed, field, save, end) {
  return h("form", { class: "identity-panel", onSubmit: save, onKeydown: (event) => event.key === "Escape" && end() }, [
    h("label", [
      words.identity.name,
      h("input", {
        ref: field,
        name: "username",
        maxlength: 64,
        autocomplete: "off",
        value: typed.value,
        onInput: (event) => (typed.value = event.target.value),
      }),
    ]),
    h("p", { class: "note" }, words.identity.explain),
    h(Problem, { place: "identity" }),
    h("div", { class: "row" }, [
      h("button", { type: "submit", class: "primary" }, words.identity.save),
      h("button", { type: "button", onClick: end }, words.cancel),
    ]),
    h("label", [
      words.identity.language,
      h("select", { name: "language", onChange: (event) => choose(event.target.value) }, Object.entries(LANGUAGES).map(([tag, name]) =>
        h("option", { key: tag, value: tag, lang: tag, selected: tag === words.language }, name))),
    ]),
    keyDetails(words.identity.details, state.info),
  ]);
}
