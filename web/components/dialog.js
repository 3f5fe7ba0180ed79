/* A dialog over the page: the browser keeps the focus inside of it, and gives it back at the end.
 *
 * The focus begins at the title, unless something inside has `autofocus`: nothing can be pressed by
 * a key that was meant for what was there before. Escape closes.
 */
import { h, onBeforeUnmount, onMounted, ref } from "../vendor/vue.js";
import { closeDialog } from "../actions/page.js";
import { words } from "../words.js";
import { icon } from "./icons.js";

export const Dialog = {
  props: { title: { type: String, required: true }, name: { type: String, required: true } },
  setup(props, { slots }) {
    const box = ref(null);
    onMounted(() => {
      box.value.showModal();
      if (!box.value.querySelector("[autofocus]")) box.value.querySelector("h2").focus();
    });
    onBeforeUnmount(() => box.value.close());
    // The event comes later than the end that we have made ourselves: another dialog may be open by then.
    const closed = () => box.value && closeDialog();
    return () =>
      h("dialog", { ref: box, class: ["dialog", props.name], "aria-labelledby": `${props.name}-title`, onClose: closed }, [
        h("div", { class: "dialog-head" }, [
          h("h2", { id: `${props.name}-title`, tabindex: -1 }, props.title),
          h("button", { type: "button", class: "plain dialog-close", "aria-label": words.close, onClick: () => box.value.close() }, icon("cross")),
        ]),
        slots.default(),
      ]);
  },
};
