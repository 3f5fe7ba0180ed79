/* The field to write in. Above it stands who will get this; below it, what went wrong.
 *
 * What is typed is kept in this tab until it is stored by the program: a message is cleared from
 * the field only after its POST was answered.
 */
import { h, nextTick, onMounted, ref, watch } from "../../vendor/vue.js";
import { closeBoard, openBoard } from "../../actions/drawing.js";
import { send } from "../../actions/messages.js";
import { showPerson } from "../../actions/people.js";
import { draftOf, keepDraft } from "../../drafts.js";
import { state } from "../../store.js";
import { audience, calledIn, nameOf } from "../../views.js";
import { words } from "../../words.js";
import { icon } from "../icons.js";
import { Board } from "../pen/board.js";
import { useNaming } from "./naming.js";
import { Problem } from "../problem.js";

export const Composer = {
  props: { room: { type: Object, required: true } },
  setup(props) {
    const text = ref(draftOf(props.room.name));
    const field = ref(null);
    const sending = ref(false);
    const write = (value) => {
      text.value = value;
      keepDraft(props.room.name, value);
    };
    const submit = async (event) => {
      event.preventDefault();
      const content = text.value;
      if (sending.value || content.trim() === "") return;
      sending.value = true;
      const stored = await send(props.room.name, content);
      sending.value = false;
      if (stored && text.value === content) write("");
      await nextTick();
      field.value?.focus();
    };
    const drawing = () => state.board?.room === props.room.name;
    const naming = useNaming(() => props.room, async (value, caret) => {
      write(value);
      await nextTick();
      field.value.setSelectionRange(caret, caret);
    });
    const key = (event) => {
      if (naming.key(event)) return;
      // While an input method composes a character, Enter is its own.
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) submit(event);
    };
    // Who opens a room wants to write. On a narrow screen this would call up the keyboard over it.
    const focus = () => matchMedia("(width >= 62rem)").matches && field.value?.focus();
    onMounted(focus);
    watch(drawing, (open) => open || nextTick(focus));
    return () =>
      h("form", { class: "composer", onSubmit: submit }, [
        readers(props.room),
        h("div", { class: "row" }, [
          naming.list(),
          h("textarea", {
            ...naming.attributes(),
            ref: field,
            rows: 2,
            name: "message",
            dir: text.value ? "auto" : null, // an empty one is written as the page is
            "aria-label": words.composer.label(props.room.name),
            placeholder: words.composer.placeholder,
            title: words.composer.hint,
            value: text.value,
            onInput: (event) => (write(event.target.value), naming.look(event.target)),
            onBlur: naming.end,
            onKeydown: key,
          }),
          h("button", { type: "button", class: "draw", "aria-expanded": drawing(), "aria-label": words.pen.open, title: words.pen.open, onClick: () => (drawing() ? closeBoard() : openBoard(props.room.name)) }, icon("scribble")),
          h("button", { type: "submit", class: ["send", { primary: !drawing() }], disabled: sending.value || state.link !== "live" }, sending.value ? words.composer.sending : words.composer.send),
        ]),
        drawing() && h(Board, { key: boardKey(state.board), room: props.room.name }),
        h(Problem, { place: "composer" }),
      ]);
  },
};

/** What the button says. A name that is meant to be mistaken for another's is not used as if it were one. */
function verify(user) {
  if (!user.resembles) return words.composer.verify(calledIn(user));
  return [icon("bang"), words.composer.verifyLookalike(nameOf(user))];
}

/** Who can read this, counted; and the offer to verify, at the moment it matters. */
function readers(room) {
  const counted = audience(room);
  if (counted.all === 0) return h("p", { class: "readers" }, words.composer.nobody);
  return h("p", { class: "readers" }, [
    words.composer.audience(counted),
    counted.undecided.slice(0, 2).map((user) =>
      h("button", { type: "button", key: user.uuid, class: "small", onClick: () => showPerson(user.uuid) }, verify(user)),
    ),
  ]);
}

/** Another sheet is another board. */
const KEYS = new WeakMap();
function boardKey(board) {
  if (!KEYS.has(board)) KEYS.set(board, crypto.randomUUID());
  return KEYS.get(board);
}
