/* The last drawings of a room, one after the other: a flip-book. It plays by itself, unless less motion is wanted. */
import { computed, h, onBeforeUnmount, onMounted, ref, watch } from "../../vendor/vue.js";
import { decode } from "../../drawing/strokes.js";
import { paintAll } from "../../drawing/paint.js";
import { state } from "../../store.js";
import { clockTime } from "../../time.js";
import { words } from "../../words.js";
import { Dialog } from "../dialog.js";

const PAGE_TIME = 900; // milliseconds

export const FlipBook = {
  setup() {
    const canvas = ref(null);
    const at = ref(0);
    const playing = ref(!matchMedia("(prefers-reduced-motion: reduce)").matches);
    const page = computed(() => state.flipBook[at.value]);
    const turn = (by) => (at.value = (at.value + by + state.flipBook.length) % state.flipBook.length);
    const paint = () => {
      canvas.value.width = Math.round(canvas.value.clientWidth * devicePixelRatio);
      canvas.value.height = Math.round(canvas.value.clientHeight * devicePixelRatio);
      paintAll(canvas.value.getContext("2d"), page.value.drawing.strokes.map(decode));
    };
    const byHand = (by) => {
      playing.value = false;
      turn(by);
    };
    const key = (event) => {
      const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (by) byHand(by);
    };
    const timer = setInterval(() => playing.value && turn(1), PAGE_TIME);
    onMounted(paint);
    watch(page, paint, { flush: "post" });
    onBeforeUnmount(() => clearInterval(timer));
    return () =>
      h(Dialog, { name: "flip", title: words.flipBook.title }, () =>
        h("div", { class: "drawn flip-book", onKeydown: key }, [
          h("canvas", { ref: canvas, class: "ink", role: "img", "aria-label": page.value.content }),
          h("p", [h("bdi", page.value.sender.username), ` · ${clockTime(page.value.time)} · ${words.flipBook.page(at.value + 1, state.flipBook.length)}`]),
          h("p", { class: "note", dir: "auto" }, page.value.content),
          h("div", { class: "row wrap" }, [
            h("button", { type: "button", class: "small", onClick: () => byHand(-1) }, words.flipBook.back),
            h("button", { type: "button", class: "primary play", onClick: () => (playing.value = !playing.value) }, playing.value ? words.flipBook.pause : words.flipBook.play),
            h("button", { type: "button", class: "small next", onClick: () => byHand(1) }, words.flipBook.next),
          ]),
        ]),
      );
  },
};
