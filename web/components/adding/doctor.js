/* "Can't see somebody?": what the program finds in itself and in the network, with what to do about it. */
import { h, onMounted, ref } from "../../vendor/vue.js";
import { examine } from "../../actions/page.js";
import { state } from "../../store.js";
import { nameByUuid } from "../../views.js";
import { words } from "../../words.js";
import { Copy } from "../copy.js";
import { Dialog } from "../dialog.js";
import { icon } from "../icons.js";
import { Problem } from "../problem.js";

const ICONS = { problem: "cross", notice: "bang", good: "check" };
const ALL_IS_WELL = "all-is-well";
const ORDER = Object.keys(ICONS);

export const Doctor = {
  setup() {
    const busy = ref(false);
    const check = async () => {
      if (busy.value) return;
      busy.value = true;
      await examine();
      busy.value = false;
    };
    onMounted(check);
    return () =>
      h(Dialog, { name: "doctor", title: words.doctor.title }, () => [
        h("div", { class: "row wrap" }, [
          // Not `disabled` while it is busy: that would take the focus from whoever pressed it.
          h("button", { type: "button", class: "primary check", "aria-disabled": busy.value, onClick: check }, busy.value ? words.doctor.checking : words.doctor.again),
          state.doctor && h(Copy, { label: words.doctor.copy, text: state.doctor.report }),
        ]),
        h("p", { role: "status", class: "note" }, busy.value ? words.doctor.checking : state.doctor && summary(state.doctor.findings)),
        h(Problem, { place: "doctor" }),
        state.doctor && found(state.doctor, busy.value),
      ]);
  },
};

function summary(findings) {
  const of = (level) => findings.filter((finding) => finding.level === level).length;
  return words.doctor.summary(of("problem"), of("notice"));
}

function found({ findings, visible }, busy) {
  // That all is well stands above the list already.
  const sorted = findings.filter(({ code }) => code !== ALL_IS_WELL).sort((a, b) => ORDER.indexOf(a.level) - ORDER.indexOf(b.level));
  return [
    h("ul", { class: "findings", "aria-busy": busy }, sorted.map(finding)),
    h("h3", words.doctor.visible),
    h("ul", { class: "visible", lang: "en", dir: "ltr" }, visible.map((sentence, index) => h("li", { key: index }, sentence))),
  ];
}

function finding({ code, level, text: english, advice: englishAdvice, values }, index) {
  const names = (values.peers ?? []).map(({ uuid }) => nameByUuid(uuid));
  const [text, advice] = words.doctor.findings[code]?.(values, names) ?? [english, englishAdvice];
  return h("li", { key: `${code} ${index}`, class: ["finding", `is-${level}`] }, [
    h("span", { class: "level" }, [icon(ICONS[level] ?? "bang"), words.doctor.levels[level] ?? level]),
    h("div", [h("p", text), advice && h("p", { class: "advice" }, advice)]),
  ]);
}
