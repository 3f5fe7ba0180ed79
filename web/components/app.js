/* The whole page: header, then three parts side by side. On a narrow screen one part at a time. */
import { h } from "../vendor/vue.js";
import { openDialog, show } from "../actions/page.js";
import { state, unreadIn } from "../store.js";
import { alarming, asking, joinedRooms } from "../views.js";
import { words } from "../words.js";
import { AddSomeone } from "./adding/add-someone.js";
import { Banner } from "./banner.js";
import { Conversation } from "./talk/conversation.js";
import { Doctor } from "./adding/doctor.js";
import { FlipBook } from "./pen/flip-book.js";
import { icon } from "./icons.js";
import { Identity } from "./people/identity.js";
import { Search } from "./talk/search.js";
import { People } from "./people/people.js";
import { Keys } from "./keys.js";
import { Rooms } from "./rooms/rooms.js";

const DIALOGS = { add: AddSomeone, doctor: Doctor, flip: FlipBook, search: Search, keys: Keys };

export const App = {
  render: () =>
    h("div", { class: ["page", `view-${state.view}`] }, [
      h("header", { class: "top" }, [
        h("h1", { class: "brand" }, [h("img", { src: "/icon.svg", alt: "", width: 30, height: 30 }), words.title]),
        state.loaded && h("div", { class: "row top-doors" }, [topDoor("search", "search"), topDoor("keys", "keys")]),
        state.info && h(Identity),
      ]),
      h(Banner),
      state.loaded && h("main", { class: "parts" }, [h(Rooms), h(Conversation), h(People)]),
      state.loaded && viewSwitch(),
      state.loaded && state.dialog && h(DIALOGS[state.dialog], { key: state.dialog }),
    ]),
};

function topDoor(dialog, name) {
  return h("button", { type: "button", class: ["plain", `open-${dialog}`], "aria-label": words[dialog].open, title: words[dialog].open, onClick: () => openDialog(dialog) }, icon(name));
}

function viewSwitch() {
  const marks = { rooms: joinedRooms().reduce((sum, { name }) => sum + unreadIn(name), 0), talk: 0, people: asking().length + alarming().length };
  return h(
    "nav",
    { class: "view-switch", "aria-label": words.views.label },
    ["rooms", "talk", "people"].map((view) =>
      h(
        "button",
        { type: "button", key: view, "aria-current": state.view === view ? "page" : null, onClick: () => show(view) },
        [words.views[view], marks[view] > 0 && h("span", { class: "count" }, marks[view])],
      ),
    ),
  );
}
