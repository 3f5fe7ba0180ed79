/* The page's own icons: strokes in a box of 16. They only repeat what words beside them say. */
import { h } from "../vendor/vue.js";

const STROKES = {
  check: "M3 8.5l3.2 3.5L13 4.5",
  question: "M5.5 6a2.5 2.5 0 1 1 3.6 2.2c-.8.4-1.1.9-1.1 1.8M8 13v.1",
  cross: "M4 4l8 8M12 4l-8 8",
  bang: "M8 3v6.5M8 12.9v.1",
  pencil: "M3 13l.6-3L10.5 3l2.5 2.5L6 12.4 3 13z",
  scribble: "M2 11c2-6 4-8 5-7s-3 8-1.5 8 3-6 4.5-6-1.5 6 0 6 2-2.5 4-3",
  eraser: "M6 13h8M9.5 3l4 4-6 6H4.5L2.5 11z",
  letters: "M3 13l5-10 5 10M5 9h6",
  copy: "M6 6h7.5v7.5H6zM10 6V2.5H2.5V10H6",
  plus: "M8 3v10M3 8h10",
  search: "M7 2.5a4.5 4.5 0 1 0 .01 0zM10.5 10.5l3.5 3.5",
  picture: "M2.5 3h11v10h-11zM2.5 11l3.5-3.5 3 3 2-2 2.5 2.5",
  code: "M3 3h4v4H3zM9.5 3H13v3.5M3 9.5V13h3.5M9.5 9.5H13V13H9.5z",
  hand: "M5 8V3.8a1 1 0 0 1 2 0V7M7 7V3a1 1 0 0 1 2 0v4M9 7V4a1 1 0 0 1 2 0v5c0 3-1 5-3.5 5C5 14 4 12.5 3 9.5",
  keys: "M2 4.5h12v7H2zM4.5 7h.1M7 7h.1M9.5 7h.1M11.5 7h.1M5 9.5h6",
  down: "M8 3v9.5M4 8.7l4 4 4-4",
};

export function icon(name) {
  return h("svg", { class: "icon", viewBox: "0 0 16 16", "aria-hidden": "true" }, [h("path", { d: STROKES[name] })]);
}
