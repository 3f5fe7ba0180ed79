/* Where one draws: a sheet of paper below the field for text, with tools above and words for it below.
 *
 * With a mouse, a finger, or a pen that is pressed; or by keys: the arrows move a cross, Space puts the
 * pen down and up. A picture may lie under the sheet, to trace. It is on a canvas of its own, and only
 * strokes are ever sent.
 */
import { computed, h, nextTick, onBeforeUnmount, onMounted, reactive, ref, watch } from "../../vendor/vue.js";
import { closeBoard, sendDrawing } from "../../actions/drawing.js";
import { keepSheet } from "../../drafts.js";
import { paintAll, paintStroke } from "../../drawing/paint.js";
import { Sheet } from "../../drawing/sheet.js";
import { HEIGHT, PAPER, WIDTH, fullness, onSheet, simplify } from "../../drawing/strokes.js";
import { setProblem, state } from "../../store.js";
import { hueOf } from "../../views.js";
import { words } from "../../words.js";
import { COLOURS, WIDTHS, tools } from "./tools.js";

const TOLERANCE = 0.7;
const ERASER_TIMES = 4; // wider than the pen
const LETTER_SIZES = { [WIDTHS.thin]: 40, [WIDTHS.thick]: 72 };
const STEP = 8;
const LONG_STEP = 40;
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
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
    const cross = reactive({ x: WIDTH / 2, y: HEIGHT / 2, shown: false });
    const sending = ref(false);
    const full = computed(() => (sheet.strokes.value.length === 0 ? 0 : fullness(sheet.drawing() ?? { strokes: [] })));
    let current = null; // the stroke under the pen
    let picture = null;

    const width = () => (tool.kind === "eraser" ? tool.width * ERASER_TIMES : tool.width);
    const colour = () => (tool.kind === "eraser" ? PAPER : tool.colour);
    const repaint = () => {
      const context = canvas.value?.getContext("2d");
      if (!context) return;
      paintAll(context, sheet.strokes.value);
      if (current) paintStroke(context, current);
    };
    const begin = (point, pointer) => {
      current = { points: [point], width: width(), colour: colour(), time: [sheet.begin(performance.now()), 0], began: performance.now(), pointer };
      repaint();
    };
    const go = (point) => {
      const last = current.points.at(-1);
      if (last[0] !== point[0] || last[1] !== point[1]) current.points.push(point);
    };
    const end = () => {
      if (!current) return;
      const { began, pointer, points, ...stroke } = current;
      current = null;
      const now = performance.now();
      add({ ...stroke, points: simplify(points, TOLERANCE), time: [stroke.time[0], Math.round(now - began)] });
    };
    const add = (stroke) => setProblem("composer", sheet.add(stroke, performance.now()) ? null : words.pen.full);
    const place = (event) => {
      const box = canvas.value.getBoundingClientRect();
      const at = onSheet(((event.clientX - box.left) * WIDTH) / box.width, ((event.clientY - box.top) * HEIGHT) / box.height);
      return [...at, event.pointerType === "pen" ? Math.round(event.pressure * 9) : null];
    };
    const down = (event) => {
      if (event.button !== 0 || current) return; // a second finger, or the palm
      if (tool.kind === "letters") return; // at the click: the focus has come to rest then
      canvas.value.setPointerCapture(event.pointerId);
      begin(place(event), event.pointerId);
    };
    const click = (event) => tool.kind === "letters" && type(place(event));
    const move = (event) => {
      if (current?.pointer !== event.pointerId) return;
      for (const one of event.getCoalescedEvents?.() ?? [event]) go(place(one));
      repaint();
    };
    const up = (event) => current?.pointer === event.pointerId && end();
    const type = async ([x, y]) => {
      letters.value = { x, y };
      await nextTick();
      canvas.value.parentElement.querySelector(".pen-letters").focus();
    };
    const typed = (event) => {
      const text = event.target.value.trim();
      const { x, y } = letters.value ?? {};
      letters.value = null;
      if (text && x !== undefined) add({ points: [[x, y, null]], width: LETTER_SIZES[tool.width], colour: tool.colour, text: text.slice(0, 200), time: [sheet.begin(performance.now()), 0] });
      canvas.value.focus();
    };
    const key = (event) => {
      const step = MOVES[event.key];
      const command = (event.ctrlKey || event.metaKey) && event.key.toLowerCase();
      if (command === "z") event.shiftKey ? sheet.redo() : sheet.undo();
      else if (command === "y") sheet.redo();
      else if (command) return;
      else if (step) crossTo(step, event.shiftKey ? LONG_STEP : STEP);
      else if (event.key === " ") press();
      else return;
      event.preventDefault();
    };
    const crossTo = ([dx, dy], far) => {
      [cross.x, cross.y] = onSheet(cross.x + dx * far, cross.y + dy * far);
      cross.shown = true;
      if (!current) return;
      go([cross.x, cross.y, null]);
      repaint();
    };
    const press = () => {
      cross.shown = true;
      if (current) end();
      else if (tool.kind === "letters") type([cross.x, cross.y]);
      else begin([cross.x, cross.y, null], "keys");
    };
    const fit = () => {
      for (const one of [canvas.value, under.value]) {
        one.width = Math.round(one.clientWidth * devicePixelRatio);
        one.height = Math.round(one.clientHeight * devicePixelRatio);
      }
      repaint();
      trace();
    };
    const trace = () => {
      const context = under.value.getContext("2d");
      const { width: across, height: along } = under.value;
      context.clearRect(0, 0, across, along);
      if (!picture) return;
      const scale = Math.min(across / picture.width, along / picture.height);
      context.globalAlpha = 0.45;
      context.drawImage(picture, (across - picture.width * scale) / 2, (along - picture.height * scale) / 2, picture.width * scale, picture.height * scale);
    };
    const layUnder = async (file) => {
      picture = file ? await createImageBitmap(file).catch(() => null) : null;
      traced.value = picture !== null;
      setProblem("composer", file && !picture ? words.pen.noPicture : null);
      if (under.value) trace();
    };
    const traced = ref(false);
    const pasted = (event) => {
      const file = [...event.clipboardData.files].find((one) => one.type.startsWith("image/"));
      if (!file) return;
      event.preventDefault();
      layUnder(file);
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
    watch([sheet.strokes, description], () =>
      keepSheet(props.room, sheet.strokes.value.length > 0 || description.value ? { strokes: sheet.strokes.value, authors: sheet.authors, description: description.value } : null));
    const resized = new ResizeObserver(fit);
    onMounted(() => {
      const pixel = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d");
      pixel.fillStyle = `oklch(46% 0.115 ${getComputedStyle(canvas.value).getPropertyValue("--hue")})`;
      pixel.fillRect(0, 0, 1, 1);
      own.value = `#${[...pixel.getImageData(0, 0, 1, 1).data].slice(0, 3).map((part) => part.toString(16).padStart(2, "0")).join("")}`;
      tool.colour = own.value;
      resized.observe(canvas.value);
      fit();
      canvas.value.focus();
    });
    onBeforeUnmount(() => resized.disconnect());
    const percent = (part, whole) => `${(100 * part) / whole}%`;
    return () =>
      h("div", { class: ["board", hueOf(state.info.uuid)], onPaste: pasted }, [
        tools(tool, own, sheet, { picture: (event) => layUnder(event.target.files[0]) }),
        h("div", { class: "sheet" }, [
          h("canvas", { ref: under, class: "under", "aria-hidden": "true" }),
          h("canvas", {
            ref: canvas, class: "ink", tabindex: 0, role: "application", "aria-label": words.pen.sheet, "aria-describedby": "pen-keys",
            onPointerdown: down, onPointermove: move, onPointerup: up, onPointercancel: up, onClick: click, onKeydown: key, onBlur: () => (cross.shown = false),
          }),
          cross.shown && h("span", { class: "cross", "aria-hidden": "true", style: { left: percent(cross.x, WIDTH), top: percent(cross.y, HEIGHT) } }),
          letters.value && h("input", {
            class: "pen-letters", "aria-label": words.pen.letters, maxlength: 200,
            style: { left: percent(letters.value.x, WIDTH), top: percent(letters.value.y, HEIGHT) },
            onKeydown: (event) => {
              if (event.key === "Enter") typed(event);
              else if (event.key === "Escape") letters.value = null;
              else return;
              event.preventDefault();
              event.stopPropagation();
            },
            onBlur: typed,
          }),
        ]),
        h("p", { id: "pen-keys", class: "note" }, words.pen.keys),
        traced.value && h("p", { class: "note" }, [words.pen.neverSent, h("button", { type: "button", class: "small", onClick: () => layUnder(null) }, words.pen.away)]),
        full.value > GAUGE_FROM && h("p", { class: "note" }, words.pen.fullness(Math.min(100, Math.round(full.value * 100)))),
        h("div", { class: "row" }, [
          h("input", { class: "description", "aria-label": words.pen.description, placeholder: words.pen.description, value: description.value, maxlength: 500, onInput: (event) => (description.value = event.target.value) }),
          h("button", { type: "button", class: "primary send-drawing", disabled: sending.value || sheet.strokes.value.length === 0 || state.link !== "live", onClick: send }, words.pen.send),
        ]),
      ]);
  },
};
