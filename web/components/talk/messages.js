/* What was said in a room, as far as it is loaded, and where one reads in it.
 *
 * It opens at the "New" line, or at the newest message. It stays at the newest while one reads there,
 * and in place while one reads above, whatever is put or taken away at either end: before each change
 * it looks which card is the first in view, and after it brings that one back to where it was.
 */
import { h, nextTick, onBeforeUpdate, onMounted, onUnmounted, onUpdated, ref } from "../../vendor/vue.js";
import { loadEarlier, loadLater, markNew, reachedTarget, setAtEnd, toNewest } from "../../actions/messages.js";
import { openDialog } from "../../actions/page.js";
import { readUpTo } from "../../actions/reading.js";
import { historyOf, state } from "../../store.js";
import { dayKey, dayName } from "../../time.js";
import { calledIn, peopleIn } from "../../views.js";
import { words } from "../../words.js";
import { icon } from "../icons.js";
import { Message } from "./message.js";

const AT_END = 80; // pixels: so close to the end counts as being there
const IN_TIME = 800; // pixels before an end, at which the next page is asked for
const ABOVE_NEW = 60; // pixels of what was read already, above the "New" line
const MOST_NAMES = 4;

export const Messages = {
  props: { room: { type: Object, required: true } },
  setup(props) {
    const scroller = ref(null);
    const log = ref(null);
    const room = props.room.name;
    const history = () => historyOf(room);
    let placed = false; // it stands where it opens
    let anchor = null; // the first card in view, and how far from the top: {id, top}
    let newest = null;

    const cards = () => [...log.value.querySelectorAll("[data-id]")];
    const top = (element) => element.getBoundingClientRect().top - scroller.value.getBoundingClientRect().top;
    const toEnd = () => (scroller.value.scrollTop = scroller.value.scrollHeight);
    const firstInView = () => {
      const card = cards().find((one) => top(one) + one.offsetHeight > 0);
      return card ? { id: card.dataset.id, top: top(card) } : null;
    };
    const look = () => {
      if (!scroller.value) return; // a scroll that is told of after the room was left
      const { scrollHeight, scrollTop, clientHeight } = scroller.value;
      if (clientHeight === 0 || !placed) return; // another part of a narrow screen is shown
      setAtEnd(!history().newer && scrollHeight - scrollTop - clientHeight < AT_END);
      if (document.visibilityState === "visible") read(clientHeight);
    };
    const read = (height) => {
      const last = state.atEnd ? history().messages.at(-1)?.id : cards().findLast((one) => top(one) + one.offsetHeight <= height + 1)?.dataset.id;
      if (last) readUpTo(room, last);
    };
    const open = () => {
      const line = log.value.querySelector(".new-line");
      placed = true;
      if (line) scroller.value.scrollTop += top(line) - ABOVE_NEW;
      else toEnd();
    };
    const toTarget = () => {
      const card = cards().find((one) => one.dataset.id === history().target);
      reachedTarget(room);
      if (!card) return open(); // it is no more
      placed = true;
      card.scrollIntoView({ block: "center" });
      card.focus({ preventScroll: true });
    };
    const restore = () => {
      const card = anchor && cards().find((one) => one.dataset.id === anchor.id);
      if (card) scroller.value.scrollTop += top(card) - anchor.top;
    };
    const place = () => {
      if (history().loading && history().messages.length === 0) return;
      const last = history().messages.at(-1);
      const said = placed && last?.own && last.id !== newest && !history().newer;
      newest = last?.id;
      if (history().target) toTarget();
      else if (!placed) open();
      else if (state.atEnd || said) toEnd();
      else restore();
      look();
    };
    const scrolled = () => {
      look();
      if (!scroller.value) return;
      const { scrollTop, scrollHeight, clientHeight } = scroller.value;
      if (!placed || scrollHeight <= clientHeight) return;
      if (scrollTop < IN_TIME) loadEarlier(room);
      if (scrollHeight - scrollTop - clientHeight < IN_TIME) loadLater(room);
    };
    const newestPressed = async () => {
      if (history().newer) await toNewest(room);
      await nextTick();
      toEnd();
    };
    const shownAgain = () => {
      if (document.visibilityState !== "visible") return;
      markNew(room);
      look();
    };
    const resized = new ResizeObserver(() => {
      if (placed && state.atEnd) toEnd();
      look();
    });
    onBeforeUpdate(() => (anchor = state.atEnd ? null : firstInView()));
    onUpdated(place);
    onMounted(() => {
      place();
      resized.observe(scroller.value);
      resized.observe(log.value);
      document.addEventListener("visibilitychange", shownAgain);
    });
    onUnmounted(() => {
      resized.disconnect();
      document.removeEventListener("visibilitychange", shownAgain);
    });
    return () => [
      h("div", { class: "scroller", ref: scroller, onScrollPassive: scrolled, tabindex: 0, role: "region", "aria-label": words.conversation.history }, [
        edge(history(), props.room),
        h("div", { ref: log, class: "log", "aria-busy": history().loading }, lines(history(), state.comings.get(room) ?? [])),
      ]),
      !state.atEnd && h("button", { type: "button", class: "to-newest", onClick: newestPressed }, [icon("down"), words.conversation.toNewest]),
    ];
  },
};

/** What stands above the first message. */
function edge(history, room) {
  if (history.loading) return h("p", { class: "edge" }, words.conversation.loading);
  if (!history.whole) return h("p", { class: "edge" }, h("button", { type: "button", onClick: () => loadEarlier(room.name) }, words.conversation.earlier));
  if (history.messages.length > 0) return h("p", { class: "edge" }, words.conversation.beginning);
  if (peopleIn(room).length > 0) return h("p", { class: "empty" }, words.conversation.empty);
  return h("div", { class: "empty" }, [
    h("p", words.conversation.emptyAlone),
    h("button", { type: "button", class: "small", onClick: () => openDialog("add") }, words.add.title),
  ]);
}

/** The messages, with what stands between them: days, who came and went, and what is new. */
function lines({ messages, newAfter }, comings) {
  const coming = new Map(comings.map((one) => [one.after, one]));
  const firstNew = newAfter === null ? -1 : messages.findIndex((message) => message.id === newAfter) + 1;
  const isNew = firstNew >= 0 && (firstNew > 0 || newAfter === "") && messages.slice(firstNew).some((message) => !message.own);
  let day = null;
  const shown = messages.flatMap((message, index) => {
    const parts = [];
    if (isNew && index === firstNew) parts.push(h("p", { class: "new-line", key: "new" }, h("span", words.conversation.new)));
    if (dayKey(message.time) !== day) parts.push(h("h3", { class: "day", key: (day = dayKey(message.time)) }, dayName(message.time)));
    parts.push(h(Message, { key: message.id, message }));
    if (coming.has(message.id)) parts.push(comingLine(coming.get(message.id)));
    return parts;
  });
  return [coming.has(null) && comingLine(coming.get(null)), ...shown];
}

function comingLine({ after, people }) {
  const said = ["entering", "leaving"].map((what) => {
    const names = [...people].filter(([, happened]) => happened === what).map(([uuid]) => calledIn(state.users.get(uuid) ?? { uuid }));
    return names.length > 0 && h("span", { key: what }, words.conversation[what](names.slice(0, MOST_NAMES), Math.max(0, names.length - MOST_NAMES)));
  });
  return h("p", { class: "coming", key: `coming ${after}` }, said);
}
