/* One message: a ruled card with the sender's name tag, and, on our own, how far it got.
 *
 * The text of a message is only ever a text node. `time` is our clock; the sender's claim is shown
 * on hover, where the two may differ.
 */
import { h, ref } from "../../vendor/vue.js";
import { showPerson } from "../../actions/people.js";
import { state } from "../../store.js";
import { clockTime, fullTime } from "../../time.js";
import { hueOf, mentions, nameByUuid } from "../../views.js";
import { words } from "../../words.js";
import { icon } from "../icons.js";
import { lookalike } from "../people/lookalike.js";
import { Drawing } from "../pen/drawing.js";

const METHOD_ICONS = { number: "check", ceremony: "picture", code: "code", click: "hand" };

export const Message = {
  props: { message: { type: Object, required: true } },
  setup(props) {
    const open = ref(false);
    return () => {
      const { message } = props;
      return h("article", { class: ["card", hueOf(message.sender.uuid), { own: message.own }], "data-id": message.id, tabindex: -1 }, [
        h("header", { class: "card-head" }, [nameTag(message), !message.own && lookalike(state.users.get(message.sender.uuid)), !message.own && method(message), time(message)]),
        message.drawing ? h(Drawing, { message }) : h("p", { class: "content", dir: "auto" }, text(message)),
        message.own && progress(message, open),
      ]);
    };
  },
};

/** The words; where they name the user, it is to be seen. */
function text(message) {
  if (message.own) return message.content;
  return mentions(message.content).map((part) => (part.mine ? h("mark", part.text) : part.text));
}

function nameTag({ own, sender }) {
  if (own) return h("span", { class: "tag" }, [h("bdi", sender.username), h("span", { class: "you" }, words.message.you)]);
  return h("button", { type: "button", class: "tag", onClick: () => showPerson(sender.uuid) }, h("bdi", sender.username));
}

function time({ time: stored, sent }) {
  const title = sent ? `${fullTime(stored)}\n${words.message.sentAt(fullTime(sent))}` : fullTime(stored);
  return h("time", { datetime: stored, title }, clockTime(stored));
}

/** How the sender had been verified when this arrived; it does not change when trust does. */
function method({ method: how }) {
  if (!how) return null;
  const label = words.message.methods[how] ?? words.message.methods.other;
  return h("span", { class: "method", title: label }, [icon(METHOD_ICONS[how] ?? "check"), words.message.by[how] ?? words.message.by.other]);
}

function progress(message, open) {
  const deliveries = message.deliveries ?? [];
  if (deliveries.length === 0) return h("p", { class: "progress" }, words.message.nobody);
  const done = deliveries.filter((delivery) => delivery.state === "delivered").length;
  const troubled = deliveries.some((delivery) => !["delivered", "waiting"].includes(delivery.state));
  return h("div", { class: ["progress", { done: done === deliveries.length, troubled }] }, [
    h("button", { type: "button", class: "plain", "aria-expanded": open.value, onClick: () => (open.value = !open.value) }, [
      done === deliveries.length && icon("check"),
      troubled && icon("bang"),
      words.message.delivered(done, deliveries.length),
    ]),
    open.value && h("ul", { "aria-label": words.message.details }, deliveries.map(row)),
  ]);
}

function row({ uuid, state: reached, reason }) {
  const online = state.users.get(uuid)?.online;
  const why = reason ?? (reached === "waiting" && online === false ? "away" : null);
  return h("li", { key: uuid }, [
    h("bdi", nameByUuid(uuid)),
    ": ",
    words.message.states[reached] ?? reached,
    why && ` (${words.reasons[why] ?? why})`,
  ]);
}
