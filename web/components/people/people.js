/* The people: alarms first, then a quiet list of those who wait for an answer, then everyone else.
 *
 * Nobody can push a box in front of what the user is doing: who knocks is listed here and counted
 * on the narrow screen's switch, no more.
 */
import { h } from "../../vendor/vue.js";
import { openDialog } from "../../actions/page.js";
import { compareNow, showPerson, withdraw } from "../../actions/people.js";
import { state } from "../../store.js";
import { clockTime, dayName, fullTime } from "../../time.js";
import { alarming, asking, asksToCompare, hueOf, nameOf, onlyClaimed, openRoom, others, peopleElsewhere, peopleIn } from "../../views.js";
import { words } from "../../words.js";
import { Alarm } from "../trust/alarm.js";
import { contacts } from "./contacts.js";
import { icon } from "../icons.js";
import { lookalike } from "./lookalike.js";
import { Person } from "./person.js";
import { presence } from "./presence.js";

const STATUS_ICONS = { verified: "check", unverified: "question", rejected: "cross", changed: "bang" };

export const People = {
  render() {
    const room = openRoom();
    const here = peopleIn(room);
    const elsewhere = peopleElsewhere(room);
    return h("section", { class: "part people", "aria-label": words.people.title }, [
      alarming().map((user) => h(Alarm, { key: user.uuid, user })),
      questions(asking()),
      contacts(),
      room && h("h2", words.people.here),
      room && (here.length > 0 ? personList(here) : h("p", { class: "empty" }, words.people.nobodyHere)),
      (elsewhere.length > 0 || !room) && h("h2", room ? words.people.elsewhere : words.people.title),
      elsewhere.length > 0 && personList(elsewhere),
      !room && elsewhere.length === 0 && h("p", { class: "empty" }, words.people.nobody),
      doors(others().length === 0),
    ]);
  },
};

/** What to do about somebody who is not in the list: always there, and in plain sight while the list is empty. */
function doors(alone) {
  const door = (dialog, content, look) => h("button", { type: "button", class: [look, { small: !alone, primary: alone && dialog === "add" }], onClick: () => openDialog(dialog) }, content);
  return h("div", { class: ["doors row wrap", { alone }] }, [
    door("add", [icon("plus"), words.add.title], "add-someone"),
    door("doctor", words.doctor.open, "ask-doctor"),
  ]);
}

function questions(users) {
  if (users.length === 0) return null;
  return h("section", { class: "questions", "aria-label": words.people.asking }, [
    h("h2", words.people.asking),
    h("ul", users.map((user) => h("li", { key: user.uuid, class: "question" }, [
      h("p", [name(user), lookalike(user)]),
      h("p", { class: "note" }, reasonOf(user)),
      since(state.questions.get(user.uuid)),
      h("div", { class: "row" }, [
        asksToCompare(user) ? compareButton(user) : h("button", { type: "button", class: "primary", onClick: () => showPerson(user.uuid) }, words.people.verify),
        user.status !== "verified" && h("button", { type: "button", onClick: () => withdraw(user.uuid, user.fingerprint_sha256) }, words.people.refuse),
      ]),
    ]))),
  ]);
}

function reasonOf(user) {
  if (asksToCompare(user)) return words.comparison.askedInList;
  return words.people.reasons[state.questions.get(user.uuid)?.reason] ?? words.people.reasons.other;
}

function compareButton({ uuid, fingerprint_sha256: key }) {
  const press = () => (showPerson(uuid), compareNow(uuid, key));
  return h("button", { type: "button", key: "compare", class: "primary compare-now", onClick: press }, words.comparison.now);
}

/** When it was asked first, and from where. */
function since(question) {
  if (!question?.time) return null;
  return h("p", { class: "note since" }, [
    h("time", { datetime: question.time, title: fullTime(question.time) }, `${dayName(question.time)}, ${clockTime(question.time)}`),
    question.address && [" · ", h("bdi", { dir: "ltr" }, question.address)],
  ]);
}

function personList(users) {
  return h("ul", { class: "person-list" }, users.map((user) => {
    const open = state.person === user.uuid;
    return h("li", { key: user.uuid, class: ["person", hueOf(user.uuid), { open }], "data-uuid": user.uuid }, [
      h("button", { type: "button", class: "person-row", "aria-expanded": open, onClick: () => showPerson(open ? null : user.uuid) }, [
        h("span", { class: ["dot", { online: user.online }] }),
        name(user),
        h("span", { class: ["status", user.status] }, [icon(STATUS_ICONS[user.status] ?? "question"), words.people.status[user.status]]),
        presence(user),
        lookalike(user),
      ]),
      open && h(Person, { user }),
    ]);
  }));
}

function name(user) {
  const shown = onlyClaimed(user) ? words.people.callsItself(user.username) : nameOf(user);
  return h("bdi", { class: ["person-name", { claimed: onlyClaimed(user) }] }, shown);
}
