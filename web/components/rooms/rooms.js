/* The rooms: ours, those that others on the network are in, and a field to make one. */
import { h, ref } from "../../vendor/vue.js";
import { joinRoom, openRoom } from "../../actions/rooms.js";
import { state, unreadIn } from "../../store.js";
import { joinedRooms, roomsNearby } from "../../views.js";
import { words } from "../../words.js";
import { Problem } from "../problem.js";

export const Rooms = {
  setup() {
    const typed = ref("");
    const submit = async (event) => {
      event.preventDefault();
      if (await joinRoom(typed.value, "rooms")) typed.value = "";
    };
    return () =>
      h("nav", { class: "part rooms", "aria-label": words.rooms.title }, [
        h("h2", words.rooms.yours),
        roomList(joinedRooms(), joinedRow, words.rooms.noneYet),
        h("h2", words.rooms.nearby),
        roomList(roomsNearby(), nearbyRow, words.rooms.noneNearby),
        h("form", { class: "new-room", onSubmit: submit }, [
          h("h2", words.rooms.make),
          h("div", { class: "row" }, [
            h("input", {
              name: "room",
              "aria-label": words.rooms.name,
              "aria-describedby": "rooms-are-public",
              placeholder: words.rooms.name,
              maxlength: 100,
              autocomplete: "off",
              value: typed.value,
              onInput: (event) => (typed.value = event.target.value),
            }),
            h("button", { type: "submit", class: "primary" }, words.rooms.makeOrJoin),
          ]),
          h(Problem, { place: "rooms" }),
          h("p", { class: "note", id: "rooms-are-public" }, words.rooms.public),
        ]),
      ]);
  },
};

function roomList(rooms, row, empty) {
  if (rooms.length === 0) return h("p", { class: "empty" }, empty);
  return h("ul", rooms.map((room) => h("li", { key: room.name }, row(room))));
}

function joinedRow(room) {
  const unread = unreadIn(room.name);
  const named = state.mentioned.has(room.name);
  return h(
    "button",
    {
      type: "button",
      class: "room",
      "aria-current": state.room === room.name ? "true" : null,
      onClick: () => openRoom(room.name),
    },
    [
      text(room),
      unread > 0 && h("span", { class: "count", title: words.rooms.unread(unread, named) }, [h("span", { "aria-hidden": "true" }, named ? `@ ${unread}` : unread), h("span", { class: "visually-hidden" }, words.rooms.unread(unread, named))]),
    ],
  );
}

function nearbyRow(room) {
  return h("div", { class: "room" }, [
    text(room),
    h("button", { type: "button", "aria-label": words.rooms.joinNamed(room.name), onClick: () => joinRoom(room.name, "rooms") }, words.rooms.join),
  ]);
}

function text(room) {
  return h("span", { class: "room-text" }, [
    h("bdi", { class: "room-name" }, room.name),
    h("span", { class: "heads" }, words.rooms.people(room.members.length)),
  ]);
}
