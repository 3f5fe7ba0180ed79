/* A QR code from its rows of modules: dark on light in every theme, in its quiet zone of four modules. */
import { h } from "../../vendor/vue.js";

const QUIET = 4; // ISO/IEC 18004, section 6.3.8

/** `rows`: strings of "1" (dark) and "0" (light). */
export function qr(rows, label) {
  const size = rows.length + 2 * QUIET;
  return h("svg", { class: "qr", viewBox: `${-QUIET} ${-QUIET} ${size} ${size}`, role: "img", "aria-label": label }, [
    h("rect", { x: -QUIET, y: -QUIET, width: size, height: size }),
    h("path", { d: rows.map(dark).join("") }),
  ]);
}

/** The dark modules of one row, those side by side as one piece. */
function dark(row, y) {
  return [...row.matchAll(/1+/g)].map(({ 0: { length }, index }) => `M${index} ${y}h${length}v1h${-length}z`).join("");
}
