/* A picture under the sheet, to trace. It is on a canvas of its own, which nothing reads: only strokes are ever sent. */
import { ref } from "../../vendor/vue.js";
import { report } from "../../actions/attempt.js";
import { words } from "../../words.js";

const PALE = 0.45;

/** `under`: the canvas below the one that is drawn on. */
export function useTracing(under) {
  const traced = ref(false);
  let picture = null;
  const paint = () => {
    const context = under.value.getContext("2d");
    const { width, height } = under.value;
    context.clearRect(0, 0, width, height);
    if (!picture) return;
    const scale = Math.min(width / picture.width, height / picture.height);
    const [across, along] = [picture.width * scale, picture.height * scale];
    context.globalAlpha = PALE;
    context.drawImage(picture, (width - across) / 2, (height - along) / 2, across, along);
  };
  const lay = async (file) => {
    picture = file ? await createImageBitmap(file).catch(() => null) : null;
    traced.value = picture !== null;
    report("composer", file && !picture ? words.pen.noPicture : null);
    if (under.value) paint();
  };
  const pasted = (event) => {
    const file = [...event.clipboardData.files].find((one) => one.type.startsWith("image/"));
    if (!file) return;
    event.preventDefault();
    lay(file);
  };
  return { traced, paint, lay, pasted };
}
