/* What draws a line: a mouse, a finger, a pen that is pressed; or keys: the arrows move a cross, Space puts the pen down and up.
 *
 * One line at a time: a second finger, or the palm, draws nothing.
 */
import { reactive } from "../../vendor/vue.js";
import { HEIGHT, WIDTH, onSheet, simplify } from "../../drawing/strokes.js";

const TOLERANCE = 0.7; // units of the sheet
const STEP = 8;
const LONG_STEP = 40;
const HARDEST = 9;
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const BY_KEYS = "keys";

/** `on`: `ink()` gives width and colour; `start()` the time of a line that begins now; `changed()`, `drawn(stroke)`, and
 * `letters(x, y)`, where
 * letters begin instead while `lettering()`. */
export function useHand(canvas, on) {
  const cross = reactive({ x: WIDTH / 2, y: HEIGHT / 2, shown: false });
  let current = null; // the line in the making

  const begin = (point, by) => {
    current = { points: [point], ...on.ink(), time: [on.start(), 0], began: performance.now(), by };
    on.changed();
  };
  const go = (point) => {
    const last = current.points.at(-1);
    if (last[0] !== point[0] || last[1] !== point[1]) current.points.push(point);
  };
  const end = () => {
    const { began, by, points, time, ...ink } = current;
    current = null;
    on.drawn({ ...ink, points: simplify(points, TOLERANCE), time: [time[0], Math.round(performance.now() - began)] });
  };
  const place = (event) => {
    const box = canvas.value.getBoundingClientRect();
    const at = onSheet(((event.clientX - box.left) * WIDTH) / box.width, ((event.clientY - box.top) * HEIGHT) / box.height);
    return [...at, event.pointerType === "pen" ? Math.round(event.pressure * HARDEST) : null];
  };
  const down = (event) => {
    if (event.button !== 0 || current || on.lettering()) return;
    canvas.value.setPointerCapture(event.pointerId);
    begin(place(event), event.pointerId);
  };
  const move = (event) => {
    if (current?.by !== event.pointerId) return;
    for (const one of event.getCoalescedEvents?.() ?? [event]) go(place(one));
    on.changed();
  };
  const up = (event) => current?.by === event.pointerId && end();
  // Letters begin at the click, not before: the focus has come to rest then.
  const click = (event) => on.lettering() && on.letters(...place(event));
  const press = () => {
    cross.shown = true;
    if (current) end();
    else if (on.lettering()) on.letters(cross.x, cross.y);
    else begin([cross.x, cross.y, null], BY_KEYS);
  };
  const step = ([dx, dy], far) => {
    [cross.x, cross.y] = onSheet(cross.x + dx * far, cross.y + dy * far);
    cross.shown = true;
    if (!current) return;
    go([cross.x, cross.y, null]);
    on.changed();
  };
  /** Whether the key was one of ours. */
  const key = (event) => {
    if (MOVES[event.key]) step(MOVES[event.key], event.shiftKey ? LONG_STEP : STEP);
    else if (event.key === " ") press();
    else return false;
    return true;
  };
  const hide = () => (cross.shown = false);
  return { cross, key, current: () => current, listeners: { onPointerdown: down, onPointermove: move, onPointerup: up, onPointercancel: up, onClick: click, onBlur: hide } };
}
