/* Strokes as numbers: how they travel, what they weigh, and how they are made lighter.
 *
 * On the sheet a stroke is `{points: [[x, y, pressure]], width, colour, time: [start, duration], text?,
 * author?}`: whole units of a sheet of 1024 by 640, pressure 0 to 9 or null. On the wire its points are
 * one row of numbers, each after the first as a step from the one before (docs/PROTOCOL.md, 6.4).
 *
 * Pure: no page, no canvas.
 */
export const WIDTH = 1024;
export const HEIGHT = 640;
export const PAPER = "paper";
export const MOST_POINTS = 20_000;
export const MOST_BYTES = 64 * 1024;
const TOLERANCES = [0.7, 1.5, 3, 6]; // units: how far a lighter line may be from the one that was drawn

export function encode({ points, width, colour, time, text, author }) {
  const row = [];
  let [atX, atY] = [0, 0];
  for (const [x, y] of points) {
    row.push(x - atX, y - atY);
    [atX, atY] = [x, y];
  }
  const stroke = { points: row, width, colour, time };
  if (points.some((point) => point[2] !== null)) stroke.pressure = points.map((point) => point[2] ?? 5);
  if (text !== undefined) stroke.text = text;
  if (author !== undefined) stroke.author = author;
  return stroke;
}

export function decode({ points, pressure, ...rest }) {
  const found = [];
  let [x, y] = [0, 0];
  for (let at = 0; at + 1 < points.length; at += 2) {
    x += points[at];
    y += points[at + 1];
    found.push([x, y, pressure?.[at / 2] ?? null]);
  }
  return { ...rest, points: found };
}

const MOST_LETTERS = 100;

/** What there is to say of a drawing without knowing what it shows. */
export function countsOf({ strokes }) {
  const inked = strokes.filter((stroke) => stroke.colour !== PAPER);
  const letters = inked.flatMap((stroke) => stroke.text ?? []).join(" ");
  return {
    strokes: inked.filter((stroke) => stroke.text === undefined).length,
    colours: new Set(inked.map((stroke) => stroke.colour)).size,
    letters: letters.length > MOST_LETTERS ? `${letters.slice(0, MOST_LETTERS)}…` : letters,
  };
}

const FROM_THE_RIGHT = /^\P{L}*[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Adlam}]/u;

/** Which way letters are written: as their first one is. */
export const directionOf = (text) => (FROM_THE_RIGHT.test(text) ? "rtl" : "ltr");

/** A place on the sheet, in whole units. */
export function onSheet(x, y) {
  return [Math.min(WIDTH, Math.max(0, Math.round(x))), Math.min(HEIGHT, Math.max(0, Math.round(y)))];
}

/** The line with as few of its points as leave it within `tolerance` (Ramer, Douglas and Peucker). */
export function simplify(points, tolerance) {
  if (points.length < 3) return points;
  const keep = new Uint8Array(points.length);
  keep[0] = keep[points.length - 1] = 1;
  const stretches = [[0, points.length - 1]];
  while (stretches.length > 0) {
    const [first, last] = stretches.pop();
    let [most, at] = [tolerance, -1];
    for (let between = first + 1; between < last; between += 1) {
      const far = distance(points[between], points[first], points[last]);
      if (far > most) [most, at] = [far, between];
    }
    if (at < 0) continue;
    keep[at] = 1;
    stretches.push([first, at], [at, last]);
  }
  return points.filter((_, at) => keep[at]);
}

/** How full a drawing is, 0 to 1 and beyond: by points or by bytes, whichever is nearer to its limit. */
export function fullness(drawing) {
  const points = drawing.strokes.reduce((sum, stroke) => sum + stroke.points.length / 2, 0);
  const bytes = new TextEncoder().encode(JSON.stringify(drawing)).length;
  return Math.max(points / MOST_POINTS, bytes / MOST_BYTES);
}

/** `strokes` as a DRAWING that can be sent: lines are made lighter before anything is refused. Null: too much. */
export function drawingOf(strokes, authors = []) {
  for (const tolerance of [0, ...TOLERANCES]) {
    const lighter = strokes.map((stroke) => encode({ ...stroke, points: tolerance ? simplify(stroke.points, tolerance) : stroke.points }));
    const drawing = authors.length > 0 ? { strokes: lighter, authors } : { strokes: lighter };
    if (fullness(drawing) <= 1) return drawing;
  }
  return null;
}

/** How long a drawing took, in milliseconds. */
export function lengthOf(strokes) {
  return strokes.reduce((most, { time: [start, duration] }) => Math.max(most, start + duration), 0);
}

function distance([x, y], [x1, y1], [x2, y2]) {
  const [dx, dy] = [x2 - x1, y2 - y1];
  const length = dx * dx + dy * dy;
  const along = length === 0 ? 0 : Math.min(1, Math.max(0, ((x - x1) * dx + (y - y1) * dy) / length));
  return Math.hypot(x - x1 - along * dx, y - y1 - along * dy);
}
