/* The row of tools above the sheet: what draws, how wide, in which colour, and back again. */
import { h } from "../../vendor/vue.js";
import { words } from "../../words.js";
import { icon } from "../icons.js";

export const COLOURS = ["#2c2520", "#c8321f", "#d9730d", "#b58900", "#2e8b3d", "#1f6fd0", "#7b3fc4", "#8a5a34"];
export const WIDTHS = { thin: 4, thick: 12 };
const TOOLS = { pen: "pencil", eraser: "eraser", letters: "letters" };

/** The colour of the user's name tag, as it is in the light: six hex digits, which a stroke can carry. */
export function ownColour(element) {
  const pixel = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d");
  pixel.fillStyle = `oklch(46% 0.115 ${getComputedStyle(element).getPropertyValue("--hue")})`;
  pixel.fillRect(0, 0, 1, 1);
  return `#${[...pixel.getImageData(0, 0, 1, 1).data].slice(0, 3).map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}

export function tools(tool, own, sheet, on) {
  return h("div", { class: "pen-tools", role: "toolbar", "aria-label": words.pen.tools }, [
    h("div", { class: "pen-group" }, Object.keys(TOOLS).map((kind) =>
      choice({ key: kind, label: words.pen[kind], chosen: tool.kind === kind, onClick: () => (tool.kind = kind) }, icon(TOOLS[kind])))),
    h("div", { class: "pen-group" }, Object.entries(WIDTHS).map(([name, width]) =>
      choice({ key: name, label: words.pen[name], chosen: tool.width === width, onClick: () => (tool.width = width) }, h("span", { class: ["pen-width", name] })))),
    h("div", { class: "pen-group" }, [own.value, ...COLOURS].filter(Boolean).map((colour, at) =>
      choice({ key: at, label: at === 0 ? words.pen.yours : words.pen.colours[at - 1], chosen: tool.colour === colour, onClick: () => (tool.colour = colour) },
        h("span", { class: "pen-colour", style: { background: colour } })))),
    h("div", { class: "pen-group" }, [
      action("undo", sheet.done.value.length === 0, () => sheet.undo()),
      action("redo", sheet.undone.value.length === 0, () => sheet.redo()),
      action("clear", sheet.strokes.value.length === 0, () => sheet.clear()),
      h("label", { class: "button small" }, [words.pen.trace, h("input", { type: "file", accept: "image/*", class: "visually-hidden", onChange: on.picture })]),
    ]),
  ]);
}

function choice({ key, label, chosen, onClick }, shown) {
  return h("button", { type: "button", key, class: ["pen-choice", { chosen }], "aria-pressed": chosen, "aria-label": label, title: label, onClick }, shown);
}

function action(name, disabled, onClick) {
  return h("button", { type: "button", class: "small", disabled, onClick }, words.pen[name]);
}
