/* A drawing as an SVG file: made of numbers, colours and escaped letters, and nothing else. */
import { HEIGHT, PAPER, WIDTH, directionOf } from "./strokes.js";

const SHEET = "#fffdf6";
const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

export function svgOf(strokes, description) {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" fill="none" stroke-linecap="round" stroke-linejoin="round">`,
    `<title>${escaped(description)}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="${SHEET}"/>`,
    ...strokes.map(element),
    "</svg>",
  ].join("\n");
}

function element({ points, width, colour, text }) {
  const ink = /^#[0-9a-f]{6}$/.test(colour) && colour !== PAPER ? colour : SHEET;
  const places = points.map(([x, y]) => `${Number(x)} ${Number(y)}`);
  if (text !== undefined) {
    const [x, y] = points[0].map(Number);
    return `<text x="${x}" y="${y}" direction="${directionOf(text)}" text-anchor="${directionOf(text) === "rtl" ? "end" : "start"}" font-family="sans-serif" font-weight="600" font-size="${Number(width)}" fill="${ink}">${escaped(text)}</text>`;
  }
  const path = places.length === 1 ? `M${places[0]}l0 0` : `M${places.join("L")}`;
  return `<path d="${path}" stroke="${ink}" stroke-width="${Number(width)}"/>`;
}

const escaped = (text) => text.replace(/[&<>"']/g, (sign) => ENTITIES[sign]);
