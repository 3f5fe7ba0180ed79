/* Our own contact code, to give to one person: as a QR code, as text and as a link. It is no secret. */
import { h, onMounted } from "../../vendor/vue.js";
import { loadCode } from "../../actions/contacts.js";
import { state } from "../../store.js";
import { words } from "../../words.js";
import { Copy } from "../copy.js";
import { Problem } from "../problem.js";
import { qr } from "./qr.js";

export const OwnCode = {
  setup() {
    onMounted(loadCode);
    return () =>
      h("section", { class: "own-code", "aria-labelledby": "own-code-title" }, [
        h("h3", { id: "own-code-title" }, words.code.title),
        h("p", { class: "note" }, words.code.use),
        state.code && shown(state.code),
        h(Problem, { place: "code" }),
      ]);
  },
};

function shown({ code, link, addresses, qr: rows }) {
  return [
    qr(rows, words.code.qr),
    h("p", { class: "mono whole", dir: "ltr" }, code),
    h("div", { class: "row wrap" }, [h(Copy, { label: words.code.copy, text: code })]),
    h("details", [
      h("summary", words.code.more),
      h("p", { class: "note" }, words.code.link),
      h("p", { class: "mono whole", dir: "ltr" }, link),
      h(Copy, { label: words.code.copyLink, text: link }),
      h("p", { class: "note" }, addresses.length > 0 ? words.code.addresses : words.code.noAddress),
      h("ul", { class: "mono" }, addresses.map((address) => h("li", { key: address, dir: "ltr" }, address))),
    ]),
  ];
}
