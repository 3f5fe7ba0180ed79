/* "@" and the beginning of a name: the list of who may be meant, and how one of them is chosen by keys. */
import { computed, h, ref } from "../../vendor/vue.js";
import { hueOf, nameOf, onlyClaimed, peopleIn } from "../../views.js";
import { words } from "../../words.js";

const BEGUN = /(?<=^|\s)@([\p{L}\p{N}_.-]{0,32})$/u;
const MOST = 6;
const LIST_ID = "names";

const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

/** `room()`: the ROOM; `write(text, caret)` puts the text with the name in it into the field. */
export function useNaming(room, write) {
  const begun = ref(null); // {before, after, typed}: the text around what was begun
  const at = ref(0);
  const people = computed(() => {
    if (begun.value === null) return [];
    const typed = plain(begun.value.typed);
    return peopleIn(room()).filter((user) => user.username && !onlyClaimed(user) && plain(nameOf(user)).startsWith(typed)).slice(0, MOST);
  });
  const look = ({ value, selectionStart }) => {
    const found = value.slice(0, selectionStart).match(BEGUN);
    at.value = 0;
    begun.value = found && { before: value.slice(0, found.index), typed: found[1], after: value.slice(selectionStart) };
  };
  const end = () => (begun.value = null);
  const choose = (user) => {
    const { before, after } = begun.value;
    const named = `${before}@${nameOf(user)} `;
    end();
    write(named + after.trimStart(), named.length);
  };
  /** Whether the key was one of ours. */
  const key = (event) => {
    const { length } = people.value;
    if (length === 0) return false;
    if (event.key === "ArrowDown") at.value = (at.value + 1) % length;
    else if (event.key === "ArrowUp") at.value = (at.value - 1 + length) % length;
    else if (event.key === "Escape") end();
    else if (event.key === "Tab" || (event.key === "Enter" && !event.shiftKey)) choose(people.value[at.value]);
    else return false;
    event.preventDefault();
    return true;
  };
  const option = (index) => `${LIST_ID}-${index}`;
  return {
    look,
    key,
    end,
    /** What the field says of the list to those who hear it. */
    attributes: () => ({
      "aria-autocomplete": "list",
      "aria-haspopup": "listbox",
      "aria-controls": people.value.length > 0 ? LIST_ID : null,
      "aria-activedescendant": people.value.length > 0 ? option(at.value) : null,
    }),
    list: () =>
      people.value.length > 0 &&
      h("ul", { id: LIST_ID, role: "listbox", class: "names", "aria-label": words.composer.names }, people.value.map((user, index) =>
        h("li", {
          key: user.uuid, id: option(index), role: "option", class: hueOf(user.uuid), "aria-selected": index === at.value,
          onPointerdown: (event) => (event.preventDefault(), choose(user)),
        }, h("bdi", { class: "tag" }, nameOf(user))))),
  };
}
