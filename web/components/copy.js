/* A button that puts a text on the clipboard, and says so. */
import { h, onUnmounted, ref } from "../vendor/vue.js";
import { copyText } from "../actions/page.js";
import { words } from "../words.js";
import { icon } from "./icons.js";

const SAID_FOR = 3_000;

export const Copy = {
  props: { label: { type: String, required: true }, text: { type: String, required: true } },
  setup(props) {
    const said = ref(null);
    let timer = null;
    const copy = async () => {
      const copied = await copyText(props.text);
      clearTimeout(timer);
      said.value = copied ? words.copied : words.notCopied;
      timer = setTimeout(() => (said.value = null), SAID_FOR);
    };
    onUnmounted(() => clearTimeout(timer));
    return () =>
      h("span", { class: "copy" }, [
        h("button", { type: "button", class: "small", onClick: copy }, [icon("copy"), props.label]),
        h("span", { role: "status", class: "note" }, said.value),
      ]);
  },
};
