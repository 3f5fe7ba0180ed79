/* Keys that work everywhere on the page. Each has a modifier, so that none is in the way of who types or dictates. */
import { closeBoard, openBoard } from "./actions/drawing.js";
import { openDialog } from "./actions/page.js";
import { openRoom } from "./actions/rooms.js";
import { state } from "./store.js";
import { joinedRooms } from "./views.js";

/** `keys`: as the list of shortcuts shows them; `name`: of its words. */
export const SHORTCUTS = [
  { name: "search", keys: ["Ctrl", "K"], act: () => openDialog("search") },
  { name: "list", keys: ["Ctrl", "/"], act: () => openDialog("keys") },
  { name: "draw", keys: ["Ctrl", "."], act: () => (state.board ? closeBoard() : state.rooms.get(state.room)?.joined && openBoard(state.room)) },
  { name: "previous", keys: ["Alt", "↑"], act: () => step(-1) },
  { name: "next", keys: ["Alt", "↓"], act: () => step(1) },
];

const SIGN = /^[/.]$/; // which on some keyboards are typed with Shift
const PRESSED = { ArrowUp: "↑", ArrowDown: "↓" };

export function startShortcuts() {
  addEventListener("keydown", (event) => {
    if (!state.loaded || event.isComposing || state.dialog) return;
    const modifier = event.altKey ? "Alt" : event.ctrlKey || event.metaKey ? "Ctrl" : null;
    const key = PRESSED[event.key] ?? event.key.toUpperCase();
    if (event.shiftKey && !SIGN.test(key)) return;
    const shortcut = SHORTCUTS.find(({ keys }) => keys[0] === modifier && keys[1] === key);
    if (!shortcut) return;
    event.preventDefault();
    shortcut.act();
  });
}

function step(by) {
  const names = joinedRooms().map((room) => room.name);
  const at = names.indexOf(state.room);
  if (names.length > 0) openRoom(names[(at + by + names.length) % names.length]);
}
