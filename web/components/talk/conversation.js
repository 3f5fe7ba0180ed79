/* One room: what was said in it, and the field to write in. */
import { h, nextTick } from "../../vendor/vue.js";
import { openFlipBook } from "../../actions/drawing.js";
import { allowNotifications, declineNotifications } from "../../actions/notifications.js";
import { show } from "../../actions/page.js";
import { joinRoom, leaveRoom } from "../../actions/rooms.js";
import { historyOf, state } from "../../store.js";
import { calledIn, openRoom, others, roomsNearby } from "../../views.js";
import { words } from "../../words.js";
import { Composer } from "./composer.js";
import { Confirm } from "../confirm.js";
import { Messages } from "./messages.js";
import { Problem } from "../problem.js";

const MOST_NEAR = 5;
const MOST_ROOMS = 3;

export const Conversation = {
  render: () => h("section", { class: "part conversation", "aria-label": words.conversation.title }, content()),
};

function content() {
  const room = openRoom();
  if (!room) return welcome();
  if (!room.joined) return notJoined(room);
  return [
    head(room),
    h(Problem, { place: "conversation" }),
    // What has just happened, for those who hear the page: without times, and nothing of what is loaded.
    h("div", { role: "log", class: "visually-hidden", "aria-label": words.conversation.log(room.name) }, state.spoken.map(({ key, text }) => h("p", { key }, text))),
    h(Messages, { key: `messages ${room.name}`, room }),
    state.offersNotifications && askNotifications(),
    h(Composer, { key: room.name, room }),
  ];
}

function head(room) {
  return h("div", { class: "conversation-head" }, [
    h("h2", h("bdi", room.name)),
    historyOf(room.name).messages.filter((message) => message.drawing).length > 1 &&
      h("button", { type: "button", class: "small open-flip-book", onClick: () => openFlipBook(room.name) }, words.flipBook.open),
    h(Confirm, {
      key: room.name,
      label: words.conversation.leave,
      accessibleName: words.conversation.leaveNamed(room.name),
      question: words.conversation.leaveSure,
      onYes: () => leaveRoom(room.name),
    }),
  ]);
}

function askNotifications() {
  return h("div", { class: "row wrap ask-notifications" }, [
    h("span", words.notifications.ask),
    h("button", { type: "button", class: "small allow", onClick: allowNotifications }, words.notifications.yes),
    h("button", { type: "button", class: "small", onClick: declineNotifications }, words.notifications.no),
  ]);
}

async function makeRoom() {
  show("rooms");
  await nextTick();
  document.querySelector(".new-room input").focus();
}

function welcome() {
  const near = others().filter((user) => user.online);
  return h("div", { class: "welcome" }, [
    h("h2", words.conversation.welcome),
    h("p", words.conversation.welcomeAbout),
    h("ol", words.conversation.welcomeSteps.map((step) => h("li", step))),
    near.length > 0 ? h("p", { class: "near" }, words.conversation.near(near.slice(0, MOST_NEAR).map(calledIn), Math.max(0, near.length - MOST_NEAR))) : h("p", { class: "near" }, words.people.nobody),
    h("div", { class: "row wrap" }, [
      roomsNearby().slice(0, MOST_ROOMS).map(({ name }) => h("button", { type: "button", key: name, onClick: () => joinRoom(name, "rooms") }, words.rooms.joinNamed(name))),
      h("button", { type: "button", class: "primary make-room", onClick: makeRoom }, words.conversation.makeRoom),
    ]),
  ]);
}

function notJoined(room) {
  return h("div", { class: "welcome" }, [
    h("h2", h("bdi", room.name)),
    h("p", words.conversation.notJoined(room.name)),
    h("button", { type: "button", class: "primary", onClick: () => joinRoom(room.name, "conversation") }, words.rooms.join),
    h(Problem, { place: "conversation" }),
  ]);
}
