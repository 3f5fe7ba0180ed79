/* Where one draws: a sheet of paper below the field for text, the tools beside it, and words for it below. */
import { computed, h, nextTick, onBeforeUnmount, onMounted, reactive, ref, watch } from "../../vendor/vue.js";
import { report } from "../../actions/attempt.js";
import { closeBoard, sendDrawing } from "../../actions/drawing.js";
import { keepSheet } from "../../drafts.js";
import { paintAll, paintStroke } from "../../drawing/paint.js";
import { Sheet } from "../../drawing/sheet.js";
import { HEIGHT, PAPER, WIDTH, fullness } from "../../drawing/strokes.js";
import { state } from "../../store.js";
import { hueOf } from "../../views.js";
import { words } from "../../words.js";
import { useHand } from "./hand.js";
import { COLOURS, WIDTHS, ownColour, tools } from "./tools.js";
import { useTracing } from "./tracing.js";

const ERASER_TIMES = 4; // wider than the pen
const LETTER_SIZES = { [WIDTHS.thin]: 40, [WIDTHS.thick]: 72 };
const MOST_LETTERS = 200;
const GAUGE_FROM = 0.7;

export const Board = {
  props: { room: { type: String, required: true } },
  setup(props) {
    const sheet = new Sheet(state.board.strokes, state.board.authors);
    const tool = reactive({ kind: "pen", width: WIDTHS.thin, colour: COLOURS[0] });
    const own = ref(null);
    const canvas = ref(null);
    const under = ref(null);
    const description = ref(state.board.description ?? "");
    const letters = ref(null); // {x, y}: where letters are being typed
    const sending = ref(false);
    const full = computed(() => (sheet.strokes.value.length === 0 ? 0 : fullness(sheet.drawing() ?? { strokes: [] })));

    const start = () => sheet.begin(performance.now());
    const add = (stroke) => report("composer", sheet.add(stroke, performance.now()) ? null : words.pen.full);
    const repaint = () => {
      const context = canvas.value?.getContext("2d");
      if (!context) return;
      paintAll(context, sheet.strokes.value);
      if (hand.current()) paintStroke(context, hand.current());
    };
    const beginLetters = async (x, y) => {
      letters.value = { x, y };
      await nextTick();
      canvas.value.parentElement.querySelector(".pen-letters").focus();
    };
    const endLetters = (typed) => {
      const at = letters.value;
      letters.value = null;
      if (at && typed.trim()) add({ points: [[at.x, at.y, null]], width: LETTER_SIZES[tool.width], colour: tool.colour, text: typed.trim().slice(0, MOST_LETTERS), time: [start(), 0] });
      canvas.value.focus();
    };
    const tracing = useTracing(under);
    const hand = useHand(canvas, {
      ink: () => (tool.kind === "eraser" ? { width: tool.width * ERASER_TIMES, colour: PAPER } : { width: tool.width, colour: tool.colour }),
      lettering: () => tool.kind === "letters",
      start,
      changed: repaint,
      drawn: add,
      letters: beginLetters,
    });
    const key = (event) => {
      const command = (event.ctrlKey || event.metaKey) && event.key.toLowerCase();
      if (command === "z") event.shiftKey ? sheet.redo() : sheet.undo();
      else if (command === "y") sheet.redo();
      else if (command || !hand.key(event)) return;
      event.preventDefault();
    };
    const fit = () => {
      for (const one of [canvas.value, under.value]) {
        one.width = Math.round(one.clientWidth * devicePixelRatio);
        one.height = Math.round(one.clientHeight * devicePixelRatio);
      }
      repaint();
      tracing.paint();
    };
    const send = async () => {
      const drawing = sheet.drawing();
      if (sending.value || sheet.strokes.value.length === 0 || drawing === null) return;
      sending.value = true;
      const stored = await sendDrawing(props.room, drawing, description.value.trim());
      sending.value = false;
      if (!stored) return;
      keepSheet(props.room, null);
      closeBoard();
    };
    watch(sheet.strokes, repaint);
    watch([sheet.strokes, description], ([strokes, said]) =>
      keepSheet(props.room, strokes.length > 0 || said ? { strokes, authors: sheet.authors, description: said } : null));
    const resized = new ResizeObserver(fit);
    onMounted(() => {
      own.value = tool.colour = ownColour(canvas.value);
      resized.observe(canvas.value);
      fit();
      canvas.value.focus();
    });
    onBeforeUnmount(() => resized.disconnect());
    return () =>
      h("div", { class: ["board", hueOf(state.info.uuid)], onPaste: tracing.pasted }, [
        tools(tool, own, sheet, { picture: (event) => tracing.lay(event.target.files[0]) }),
        h("div", { class: "sheet" }, [
          h("canvas", { ref: under, class: "under", "aria-hidden": "true" }),
          h("canvas", { ref: canvas, class: "ink", tabindex: 0, role: "application", "aria-label": words.pen.sheet, "aria-describedby": "pen-keys", onKeydown: key, ...hand.listeners }),
          hand.cross.shown && h("span", { class: "cross", "aria-hidden": "true", style: placeOf(hand.cross) }),
          letters.value && lettersField(letters.value, endLetters, () => (letters.value = null)),
        ]),
        h("p", { id: "pen-keys", class: "note" }, words.pen.keys),
        tracing.traced.value && h("p", { class: "note" }, [words.pen.neverSent, h("button", { type: "button", class: "small", onClick: () => tracing.lay(null) }, words.pen.away)]),
        full.value > GAUGE_FROM && h("p", { class: "note" }, words.pen.fullness(Math.min(100, Math.round(full.value * 100)))),
        h("div", { class: "row" }, [
          h("input", { class: "description", "aria-label": words.pen.description, placeholder: words.pen.description, value: description.value, maxlength: 500, onInput: (event) => (description.value = event.target.value) }),
          h("button", { type: "button", class: "primary send-drawing", disabled: sending.value || sheet.strokes.value.length === 0 || state.link !== "live", onClick: send }, words.pen.send),
        ]),
      ]);
  },
};

const percent = (part, whole) => `${(100 * part) / whole}%`;
const placeOf = ({ x, y }) => ({ left: percent(x, WIDTH), top: percent(y, HEIGHT) });

/** Where letters are typed: at the place where they will stand. */
function lettersField(at, end, cancel) {
  const key = (event) => {
    if (event.key === "Enter") end(event.target.value);
    else if (event.key === "Escape") cancel();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return h("input", { class: "pen-letters", "aria-label": words.pen.letters, maxlength: MOST_LETTERS, style: placeOf(at), onKeydown: key, onBlur: (event) => end(event.target.value) });
}
