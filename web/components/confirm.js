/* A button that asks once more, in its own place: for what can't be taken back easily. */
import { h, nextTick, ref } from "../vendor/vue.js";
import { words } from "../words.js";

export const Confirm = {
  props: { label: String, question: String, yes: String, accessibleName: String },
  emits: ["yes"],
  setup(props, { emit }) {
    const asked = ref(false);
    const place = ref(null);
    const turn = async (to) => {
      asked.value = to;
      await nextTick();
      place.value?.querySelector("button")?.focus();
    };
    const button = (text, onClick, more) => h("button", { type: "button", onClick, ...more }, text);
    return () =>
      h("span", { ref: place, class: ["confirm", { "is-asking": asked.value }] }, [
        asked.value
          ? [
              h("span", { role: "alert" }, props.question),
              button(words.cancel, () => turn(false)),
              button(props.yes ?? props.label, () => (turn(false), emit("yes")), { class: "danger" }),
            ]
          : button(props.label, () => turn(true), { "aria-label": props.accessibleName }),
      ]);
  },
};
