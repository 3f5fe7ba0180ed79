/* The sheet that one draws on: its strokes, and what was done to them, so that it can be undone.
 *
 * Each change replaces the list of strokes: a change is a new value, and undoing one is the old value. */
import { shallowRef } from "../vendor/vue.js";
import { drawingOf, lengthOf } from "./strokes.js";

const LONGEST_PAUSE = 2_000; // milliseconds: whoever watches a replay does not wait longer

export class Sheet {
  constructor(strokes, authors) {
    this.authors = authors;
    this.strokes = shallowRef(strokes);
    this.done = shallowRef([]); // earlier values of `strokes`
    this.undone = shallowRef([]);
    this.clock = lengthOf(strokes); // milliseconds of drawing so far
    this.touched = null; // when the last stroke ended, by the page's clock
  }

  /** When, in the drawing's own time, a stroke begins that begins now. */
  begin(now) {
    if (this.touched !== null) this.clock += Math.min(LONGEST_PAUSE, Math.round(now - this.touched));
    return this.clock;
  }

  /** False if there is no room for it, however much lighter the lines are made. */
  add(stroke, now) {
    const strokes = [...this.strokes.value, stroke];
    if (drawingOf(strokes, this.authors) === null) return false;
    this.change(strokes);
    this.clock = stroke.time[0] + stroke.time[1];
    this.touched = now;
    return true;
  }

  clear() {
    if (this.strokes.value.length > 0) this.change([]);
  }

  change(strokes) {
    this.done.value = [...this.done.value, this.strokes.value];
    this.undone.value = [];
    this.strokes.value = strokes;
  }

  undo() {
    this.swap(this.done, this.undone);
  }

  redo() {
    this.swap(this.undone, this.done);
  }

  swap(from, to) {
    if (from.value.length === 0) return;
    to.value = [...to.value, this.strokes.value];
    this.strokes.value = from.value.at(-1);
    from.value = from.value.slice(0, -1);
  }

  /** What is sent: authors only of strokes that are still there. Null if it is too much. */
  drawing() {
    const strokes = this.strokes.value;
    const used = [...new Set(strokes.map((stroke) => stroke.author).filter((author) => author !== undefined))];
    const renumbered = strokes.map((stroke) => (stroke.author === undefined ? stroke : { ...stroke, author: used.indexOf(stroke.author) }));
    return drawingOf(renumbered, used.map((at) => this.authors[at]));
  }
}
