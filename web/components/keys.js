/* The list of keys: those that work everywhere, and those of the parts. */
import { h } from "../vendor/vue.js";
import { SHORTCUTS } from "../shortcuts.js";
import { words } from "../words.js";
import { Dialog } from "./dialog.js";

export const Keys = {
  render: () =>
    h(Dialog, { name: "keys", title: words.keys.title }, () =>
      h("dl", { class: "keys-list" }, [
        SHORTCUTS.map(({ name, keys }) => row(keys, words.keys[name])),
        words.keys.more.map(({ keys, text }) => row(keys, text)),
      ]),
    ),
};

function row(keys, text) {
  return h("div", { key: text }, [h("dt", keys.map((key, index) => [index > 0 && " + ", h("kbd", words.keys.names[key] ?? key)])), h("dd", text)]);
}
