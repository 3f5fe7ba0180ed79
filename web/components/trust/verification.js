/* "Is this really Ada?": the other person reads out two groups, the page compares.
 *
 * The two positions are chosen when the card opens. Their groups are covered on this screen: what
 * is typed has to come from the other person. A yes names the fingerprint that belongs to the
 * number on the screen, so that it can't be given to a key that came in between.
 */
import { h, ref } from "../../vendor/vue.js";
import { verify } from "../../actions/people.js";
import { digitsOf, groupsOf, isGroup, twoPositions } from "../../safety.js";
import { calledIn, waitingFor } from "../../views.js";
import { words } from "../../words.js";
import { Confirm } from "../confirm.js";
import { NumberGrid } from "./number-grid.js";

export const Verification = {
  props: { user: { type: Object, required: true } },
  setup(props) {
    const groups = groupsOf(props.user.safety_number);
    const asked = ref(twoPositions(groups.length));
    const typed = ref(["", ""]);
    const said = ref(null); // what the comparison said, in words
    const shown = ref(false);
    const yes = (method) => verify(props.user.uuid, props.user.fingerprint_sha256, method);
    const again = () => {
      asked.value = twoPositions(groups.length);
      typed.value = ["", ""];
      said.value = null;
    };
    const compare = (event) => {
      event.preventDefault();
      const complete = typed.value.every((text) => digitsOf(text).length === 5);
      const same = asked.value.every((position, index) => isGroup(typed.value[index], groups[position]));
      if (same) yes("number");
      said.value = same ? null : complete ? words.verification.differs : words.verification.incomplete;
    };
    return () => {
      const { user } = props;
      return h("div", { class: "verification" }, [
        h("p", words.verification.ask(calledIn(user))),
        question(asked, typed, compare),
        h("div", { role: "alert" }, said.value && h("p", { class: "warning" }, said.value)),
        said.value && h("button", { type: "button", class: "small", onClick: again }, words.verification.otherGroups),
        waitingFor(user.uuid) > 0 && h("p", { class: "note will-send" }, words.verification.willSend(waitingFor(user.uuid))),
        h("details", { class: "reading" }, [
          h("summary", words.verification.reading),
          h(NumberGrid, { number: user.safety_number, covered: shown.value ? [] : asked.value }),
          !shown.value && h("p", { class: "note" }, words.verification.readingAbout),
          !shown.value && h("button", { type: "button", class: "small uncover", onClick: () => (shown.value = true) }, words.verification.uncover),
        ]),
        h("details", { class: "other-way" }, [
          h("summary", words.verification.other),
          h("p", { class: "note" }, words.verification.otherAbout),
          h("button", { type: "button", class: "small", onClick: () => yes("click") }, words.verification.otherYes),
        ]),
      ]);
    };
  },
};

function question(asked, typed, compare) {
  return h("form", { class: "row groups", onSubmit: compare }, [
    asked.value.map((position, index) =>
      h("label", { key: position }, [
        words.verification.group(position + 1),
        h("input", {
          inputmode: "numeric",
          autocomplete: "off",
          size: 6,
          maxlength: 11,
          "data-position": position + 1,
          value: typed.value[index],
          onInput: (event) => (typed.value[index] = event.target.value),
        }),
      ]),
    ),
    h("button", { type: "submit", class: "primary" }, words.verification.compare),
  ]);
}
