/* The page's own icons: strokes in a box of 16. They only repeat what words beside them say. */
import { h } from "../vendor/vue.js";

const STROKES = {
  check: "M3 8.5l3.2 3.5L13 4.5",
  question: "M5.5 6a2.5 2.5 0 1 1 3.6 2.2c-.8.4-1.1.9-1.1 1.8M8 13v.1",
  cross: "M4 4l8 8M12 4l-8 8",
  bang: "M8 3v6.5M8 12.9v.1",
  pencil: "M3 13l.6-3L10.5 3l2.5 2.5L6 12.4 3 13z",
  eraser: "M6 13h8M9.5 3l4 4-6 6H4.5L2.5 11z",
  letters: "M3 13l5-10 5 10M5 9h6",
  copy: "M6 6h7.5v7.5H6zM10 6V2.5H2.5V10H6",
  plus: "M8 3v10M3 8h10",
  search: "M7 2.5a4.5 4.5 0 1 0 .01 0zM10.5 10.5l3.5 3.5",
  down: "M8 3v9.5M4 8.7l4 4 4-4",
};

export function icon(name) {
  return h("svg", { class: "icon", viewBox: "0 0 16 16", "aria-hidden": "true" }, [h("path", { d: STROKES[name] })]);
}
