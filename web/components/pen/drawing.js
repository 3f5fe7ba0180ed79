/* A drawing in a message: paper glued into its card, with its words, who drew what, and what can be done with it.
 *
 * It is painted when it comes near the screen. What cannot be read is shown by its words alone.
 */
import { h, onBeforeUnmount, onMounted, ref } from "../../vendor/vue.js";
import { takeUp } from "../../actions/drawing.js";
import { paintAll } from "../../drawing/paint.js";
import { decode, lengthOf } from "../../drawing/strokes.js";
import { svgOf } from "../../drawing/svg.js";
import { state } from "../../store.js";
import { authorsOf } from "../../views.js";
import { words } from "../../words.js";

const LONGEST_REPLAY = 12_000;
const PNG_WIDTH = 2048;
const PNG_HEIGHT = 1280;
const SHEET = "#fffdf6";

export const Drawing = {
  props: { message: { type: Object, required: true } },
  setup(props) {
    const canvas = ref(null);
    const playing = ref(false);
    const strokes = props.message.drawing.strokes.map(decode);
    const lessMotion = matchMedia("(prefers-reduced-motion: reduce)"); // then strokes come whole, one after the other
    let near = false;
    let frame = 0;
    const paint = (until = Infinity) => {
      const context = near && canvas.value?.getContext("2d");
      if (context) paintAll(context, lessMotion.matches ? strokes.filter(({ time }) => time[0] + time[1] <= until) : strokes, until);
    };
    const fit = () => {
      const { clientWidth, clientHeight } = canvas.value;
      // Far from the screen it holds no pixels.
      canvas.value.width = near ? Math.round(clientWidth * devicePixelRatio) : 0;
      canvas.value.height = near ? Math.round(clientHeight * devicePixelRatio) : 0;
      paint();
    };
    const stop = () => {
      cancelAnimationFrame(frame);
      playing.value = false;
      paint();
    };
    const replay = () => {
      if (playing.value) return stop();
      const length = lengthOf(strokes);
      const speed = Math.max(1, length / LONGEST_REPLAY);
      const began = performance.now();
      playing.value = true;
      const next = () => {
        const at = (performance.now() - began) * speed;
        if (!(at < length)) return stop();
        paint(at);
        frame = requestAnimationFrame(next);
      };
      next();
    };
    const seen = new IntersectionObserver(([entry]) => {
      near = entry.isIntersecting;
      if (!near) stop();
      fit();
    }, { rootMargin: "400px" });
    const resized = new ResizeObserver(() => near && fit());
    onMounted(() => {
      seen.observe(canvas.value);
      resized.observe(canvas.value);
    });
    onBeforeUnmount(() => {
      cancelAnimationFrame(frame);
      seen.disconnect();
      resized.disconnect();
    });
    return () => {
      const { message } = props;
      return h("figure", { class: "drawn" }, [
        h("canvas", { ref: canvas, class: "ink", role: "img", "aria-label": message.content }),
        h("figcaption", { dir: "auto" }, message.content),
        authorsOf(message).map((author) => h("p", { class: ["note", { claimed: !author.known }], key: `${author.key} ${author.known}` }, words.drawing.by(author, message.sender.username))),
        h("div", { class: "row wrap" }, [
          h("button", { type: "button", class: "small replay", onClick: replay }, playing.value ? words.drawing.stop : words.drawing.replay),
          state.rooms.get(message.room)?.joined && h("button", { type: "button", class: "small take-up", onClick: () => takeUp(message) }, words.drawing.takeUp),
          h("button", { type: "button", class: "small", onClick: () => savePng(message, strokes) }, words.drawing.png),
          h("button", { type: "button", class: "small", onClick: () => save(message, new Blob([svgOf(strokes, message.content)], { type: "image/svg+xml" }), "svg") }, words.drawing.svg),
        ]),
      ]);
    };
  },
};

function savePng(message, strokes) {
  const canvas = Object.assign(document.createElement("canvas"), { width: PNG_WIDTH, height: PNG_HEIGHT });
  const context = canvas.getContext("2d");
  paintAll(context, strokes);
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.globalCompositeOperation = "destination-over";
  context.fillStyle = SHEET;
  context.fillRect(0, 0, PNG_WIDTH, PNG_HEIGHT);
  canvas.toBlob((blob) => save(message, blob, "png"));
}

function save(message, blob, suffix) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: `drawing-${message.id}.${suffix}` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1_000);
}
