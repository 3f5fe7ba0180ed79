/* Strokes onto a canvas, sharp at any size. The eraser takes away, so that what is under the canvas shows:
 * the paper, or a picture to trace. */
import { HEIGHT, PAPER, WIDTH, directionOf } from "./strokes.js";

const FONT = 'ui-rounded, "SF Pro Rounded", "Nunito", system-ui, "Noto Sans", sans-serif';
const EVEN = 5;

/** Everything that was drawn in the first `until` milliseconds. */
export function paintAll(context, strokes, until = Infinity) {
  const { width, height } = context.canvas;
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, width, height);
  context.setTransform(width / WIDTH, 0, 0, height / HEIGHT, 0, 0);
  for (const stroke of strokes) paintStroke(context, stroke, until);
}

/** One stroke, in the units of the sheet; of one that is being drawn at `until`, its beginning. */
export function paintStroke(context, stroke, until = Infinity) {
  const [start, duration] = stroke.time;
  if (start > until) return;
  context.globalCompositeOperation = stroke.colour === PAPER ? "destination-out" : "source-over";
  context.fillStyle = context.strokeStyle = stroke.colour === PAPER ? "#000000" : stroke.colour;
  const points = start + duration <= until ? stroke.points : beginning(stroke.points, (until - start) / duration);
  if (stroke.text !== undefined) letters(context, stroke);
  else if (points.length === 1) dot(context, points[0], stroke.width);
  else line(context, points, stroke.width);
  context.globalCompositeOperation = "source-over";
}

const beginning = (points, part) => points.slice(0, Math.max(1, Math.ceil(points.length * part)));

/** The width of the line where the pen was pressed so hard. */
const pressed = (width, pressure) => width * (0.4 + (0.6 * (pressure ?? EVEN)) / EVEN);

/** Letters begin where the pen was put, whichever way the page is written; their first one says how they go on. */
function letters(context, { text, points, width }) {
  const [x, y] = points[0];
  context.direction = directionOf(text);
  context.textAlign = "left";
  context.font = `600 ${width}px ${FONT}`;
  context.fillText(text, x, y);
}

function dot(context, [x, y, pressure], width) {
  context.beginPath();
  context.arc(x, y, pressed(width, pressure) / 2, 0, 2 * Math.PI);
  context.fill();
}

/** A smooth line from middle to middle, each point bending it. Evenly pressed it is one path. */
function line(context, points, width) {
  context.lineCap = context.lineJoin = "round";
  const even = points.every((point) => point[2] === points[0][2]);
  context.lineWidth = pressed(width, points[0][2]);
  context.beginPath();
  context.moveTo(points[0][0], points[0][1]);
  for (let at = 1; at < points.length; at += 1) {
    const [x, y, pressure] = points[at];
    const next = points[at + 1];
    const [endX, endY] = next ? [(x + next[0]) / 2, (y + next[1]) / 2] : [x, y];
    context.quadraticCurveTo(x, y, endX, endY);
    if (even) continue;
    context.lineWidth = pressed(width, pressure);
    context.stroke();
    context.beginPath();
    context.moveTo(endX, endY);
  }
  if (even) context.stroke();
}
