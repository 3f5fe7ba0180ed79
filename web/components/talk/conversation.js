/* One room: its messages, oldest first, and the field to write in.
 *
 * It stays at the newest message while one reads there, and stays in place while one reads above:
 * also when an earlier page is put on top, for which it measures the height before and after.
 */
import { h, nextTick, onUnmounted, ref, watch } from "../../vendor/vue.js";
import { openFlipBook } from "../../actions/drawing.js";
import { loadEarlier } from "../../actions/messages.js";
import { openDialog, show } from "../../actions/page.js";
import { leaveRoom, joinRoom } from "../../actions/rooms.js";
import { historyOf, state } from "../../store.js";
import { dayKey, dayName } from "../../time.js";
import { openRoom, peopleIn } from "../../views.js";
import { words } from "../../words.js";
import { Composer } from "./composer.js";
import { Confirm } from "../confirm.js";
import { icon } from "../icons.js";
import { Message } from "./message.js";
import { Problem } from "../problem.js";

const NEAR = 80; // pixels: so close to an end counts as being there

export const Conversation = {
  setup() {
    const scroller = ref(null);
    const atEnd = ref(true);
    const toEnd = () => scroller.value?.scrollTo({ top: scroller.value.scrollHeight });
    const earlier = async () => {
      const before = scroller.value.scrollHeight - scroller.value.scrollTop;
      await loadEarlier(state.room);
      await nextTick();
      if (scroller.value) scroller.value.scrollTop = scroller.value.scrollHeight - before;
    };
    const scrolled = () => {
      const { scrollTop, scrollHeight, clientHeight } = scroller.value;
      atEnd.value = scrollHeight - scrollTop - clientHeight < NEAR;
      if (scrollTop < NEAR && scrollHeight > clientHeight) earlier();
    };
    const newest = () => state.histories.get(state.room)?.messages.at(-1);
    watch([() => state.room, () => state.view], () => (atEnd.value = true));
    watch([() => state.room, () => state.view, () => newest()?.id], () => {
      if (atEnd.value || newest()?.own) toEnd();
    }, { flush: "post" });
    const resized = new ResizeObserver(() => atEnd.value && toEnd());
    watch(scroller, (now, before) => {
      if (before) resized.unobserve(before);
      if (now) resized.observe(now);
    }, { flush: "post" });
    onUnmounted(() => resized.disconnect());
    return () => h("section", { class: "part conversation", "aria-label": words.conversation.title }, body(scroller, atEnd, { toEnd, earlier, scrolled }));
  },
};

function body(scroller, atEnd, on) {
  const room = openRoom();
  if (!room) return welcome();
  if (!room.joined) return notJoined(room);
  const history = historyOf(room.name);
  return [
    h("div", { class: "conversation-head" }, [
      h("h2", { dir: "auto" }, room.name),
      history.messages.some((message) => message.drawing) &&
        h("button", { type: "button", class: "small open-flip-book", onClick: () => openFlipBook(room.name) }, words.flipBook.open),
      h(Confirm, {
        key: room.name,
        label: words.conversation.leave,
        accessibleName: words.conversation.leaveNamed(room.name),
        question: words.conversation.leaveSure,
        onYes: () => leaveRoom(room.name),
      }),
    ]),
    h(Problem, { place: "conversation" }),
    h("div", { class: "scroller", ref: scroller, onScrollPassive: on.scrolled, tabindex: 0, role: "region", "aria-label": words.conversation.history }, [
      top(history, room, on.earlier),
      h("div", { role: "log", class: "log", "aria-label": words.conversation.log(room.name), "aria-busy": history.loading }, cards(history.messages)),
    ]),
    !atEnd.value && h("button", { type: "button", class: "to-newest", onClick: on.toEnd }, [icon("down"), words.conversation.toNewest]),
    h(Composer, { key: room.name, room }),
  ];
}

function top(history, room, earlier) {
  if (history.loading) return h("p", { class: "edge" }, words.conversation.loading);
  if (!history.whole) return h("p", { class: "edge" }, h("button", { type: "button", onClick: earlier }, words.conversation.earlier));
  if (history.messages.length > 0) return h("p", { class: "edge" }, words.conversation.beginning);
  if (peopleIn(room).length > 0) return h("p", { class: "empty" }, words.conversation.empty);
  return h("div", { class: "empty" }, [
    h("p", words.conversation.emptyAlone),
    h("button", { type: "button", class: "small", onClick: () => openDialog("add") }, words.add.title),
  ]);
}

function cards(messages) {
  let day = null;
  return messages.flatMap((message) => {
    const key = dayKey(message.time);
    const card = h(Message, { key: message.id, message });
    if (key === day) return [card];
    day = key;
    return [h("h3", { class: "day", key }, dayName(message.time)), card];
  });
}

function welcome() {
  return h("div", { class: "welcome" }, [
    h("h2", words.conversation.welcome),
    h("ol", words.conversation.welcomeSteps.map((step) => h("li", step))),
    h("button", { type: "button", class: "primary narrow-only", onClick: () => show("rooms") }, words.conversation.toRooms),
  ]);
}

function notJoined(room) {
  return h("div", { class: "welcome" }, [
    h("h2", { dir: "auto" }, room.name),
    h("p", words.conversation.notJoined(room.name)),
    h("button", { type: "button", class: "primary", onClick: () => joinRoom(room.name, "conversation") }, words.rooms.join),
    h(Problem, { place: "conversation" }),
  ]);
}
