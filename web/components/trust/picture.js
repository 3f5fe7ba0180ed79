/* The picture of a live comparison: four shapes in colours, each with its words beneath.
 *
 * Colour comes as a class and shape as path data of our own: nothing that the program says becomes
 * markup or style. A name that is not ours is shown as the words alone, which are what counts.
 */
import { h } from "../../vendor/vue.js";
import { COLOURS, SHAPES } from "../../shapes.js";
import { words } from "../../words.js";

export function picture(parts) {
  return h("ol", { class: "picture", "aria-label": words.comparison.picture }, parts.map((part, index) => {
    const said = words.comparison.part(part);
    return h("li", { key: index }, h("span", { class: "part-of-picture", role: "img", "aria-label": said }, [drawing(part), h("span", said)]));
  }));
}

function drawing({ shape, colour }) {
  if (!SHAPES.has(shape) || !COLOURS.has(colour)) return null;
  const { rods, body, light, shine, lines, dots } = SHAPES.get(shape);
  const surfaces = [body].flat().map((d) => ["body", d]);
  const details = Object.entries({ light, shine, lines, dots });
  const layers = [["rods outline", rods], ["rods", rods], ...surfaces, ...details];
  return h("svg", { class: ["drawing", `colour-${colour}`], viewBox: "-2 -2 52 52", "aria-hidden": "true" },
    layers.filter(([, d]) => d).map(([layer, d], index) => h("path", { key: index, class: layer, d })));
}
