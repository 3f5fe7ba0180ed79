/* Search in everything that was said: type, choose, and the page goes to the place. */
import { h, onMounted, onUnmounted, ref } from "../../vendor/vue.js";
import { jumpTo, search, searchFurther } from "../../actions/search.js";
import { state } from "../../store.js";
import { dayName, clockTime } from "../../time.js";
import { hueOf } from "../../views.js";
import { words } from "../../words.js";
import { Dialog } from "../dialog.js";
import { Problem } from "../problem.js";

const WHILE_TYPING = 150; // milliseconds
const BEFORE = 60; // characters of a text that are shown before what was found in it
const SHOWN = 220;

export const Search = {
  setup() {
    const field = ref(null);
    let timer = null;
    const typed = (event) => {
      clearTimeout(timer);
      timer = setTimeout(() => search(event.target.value), WHILE_TYPING);
    };
    const list = ref(null);
    const move = (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!step) return;
      const places = [field.value, ...list.value.querySelectorAll("button")];
      places[places.indexOf(document.activeElement) + step]?.focus();
      event.preventDefault();
    };
    onMounted(() => field.value.select());
    onUnmounted(() => clearTimeout(timer));
    return () =>
      h(Dialog, { name: "search", title: words.search.title }, () =>
        h("div", { class: "search-parts", ref: list, onKeydown: move }, [
          h("input", {
            ref: field, type: "search", name: "search", autofocus: true, autocomplete: "off", dir: state.search.typed ? "auto" : null,
            "aria-label": words.search.field, placeholder: words.search.field, value: state.search.typed, onInput: typed,
          }),
          h(Problem, { place: "search" }),
          h("p", { role: "status", class: "note" }, said()),
          state.search.found && h("ul", { class: "found" }, state.search.found.map((message) => h("li", { key: message.id }, hit(message)))),
          state.search.more && h("button", { type: "button", class: "small further", onClick: searchFurther }, words.search.further),
        ]),
      );
  },
};

function said() {
  const { typed, found, more } = state.search;
  if (found === null) return words.search.hint;
  return found.length > 0 ? words.search.found(found.length, more) : words.search.nothing(typed);
}

function hit(message) {
  return h("button", { type: "button", class: ["hit", hueOf(message.sender.uuid)], onClick: () => jumpTo(message) }, [
    h("span", { class: "hit-head" }, [
      h("bdi", { class: "tag" }, message.sender.username),
      h("bdi", message.room),
      h("time", { datetime: message.time }, `${dayName(message.time)}, ${clockTime(message.time)}`),
    ]),
    h("span", { class: "hit-text", dir: "auto" }, marked(message)),
  ]);
}

/** The words around the first one that was found. Marks count code points. */
function marked({ content, marks }) {
  const signs = Array.from(content);
  const from = Math.max(0, (marks[0]?.[0] ?? 0) - BEFORE);
  const until = Math.min(signs.length, from + SHOWN);
  const parts = [from > 0 && "… "];
  let at = from;
  for (const [start, end] of marks.filter(([start]) => start < until)) {
    parts.push(signs.slice(at, start).join(""), h("mark", { key: start }, signs.slice(start, end).join("")));
    at = end;
  }
  return [...parts, signs.slice(at, until).join(""), until < signs.length && " …"];
}
