/* The live comparison: two people who are both there press "compare now", and look at both screens.
 *
 * How far it has got is the program's to say (USER's `comparison`); nothing here verifies anybody
 * but the button "The same", and that can be pressed only after LOOK_FOR: nobody who has just
 * pressed "compare now" presses it by the same double click, unseen. "Different" works at once.
 *
 * What changes here changes because of the other person too, so it is said to screen readers; and
 * if the button that had the focus goes away with it, the focus stays in this part of the card.
 */
import { h, nextTick, onUnmounted, ref, watch } from "../../vendor/vue.js";
import { comparisonPlace, compareNow, dismissDifference, endComparison, sayDifferent, sayTheSame, withdraw } from "../../actions/people.js";
import { state } from "../../store.js";
import { calledIn, comparisonOf, waitingFor } from "../../views.js";
import { words } from "../../words.js";
import { Confirm } from "../confirm.js";
import { icon } from "../icons.js";
import { picture } from "./picture.js";
import { Problem } from "../problem.js";

export const WAITS_SECONDS = 120; // as long as the program waits for the other side
export const LOOK_FOR = 3_000; // milliseconds between the result and the first possible yes

export const LiveComparison = {
  props: { user: { type: Object, required: true } },
  setup(props) {
    const root = ref(null);
    const left = ref(null); // seconds, or null: begun before this card was opened
    const looked = ref(false);
    const done = ref(false);
    const current = () => state.users.get(props.user.uuid) ?? props.user;
    const phase = () => phaseOf(current());
    const timers = useTimers();
    // At the very change, so that what has the focus before it is still there to be asked. Other
    // digits are another result, to be looked at anew, also if no other phase was seen in between.
    watch([phase, () => comparisonOf(current())?.digits], ([now]) => {
      timers.clear();
      left.value = null;
      looked.value = false;
      if (now !== "ready") done.value = false;
      if (now === "waiting") countDown(left, timers);
      if (now === "shown") timers.after(LOOK_FOR, () => (looked.value = true));
      follow(root);
    }, { flush: "sync" });
    if (phase() === "shown") timers.after(LOOK_FOR, () => (looked.value = true));
    const same = async () => {
      done.value = await sayTheSame(props.user.uuid, props.user.fingerprint_sha256);
    };
    return () => {
      const { user } = props;
      const now = phaseOf(user);
      return h("section", { ref: root, class: ["live-comparison", `is-${now}`], tabindex: -1, "aria-label": words.comparison.label }, [
        h("p", { role: "status", class: "lead" }, done.value && user.status === "verified" ? words.comparison.done : lead(user, now)),
        // Keyed: a button is never turned into another one under the pointer.
        h("div", { key: now, class: "live-phase" }, parts[now](user, { left, looked, same })),
        h(Problem, { place: comparisonPlace(user.uuid) }),
      ]);
    };
  },
};

/** What is to be seen: a difference that the user has found stays, whatever has become of the result. */
function phaseOf(user) {
  if (state.differing.has(user.fingerprint_sha256)) return "differs";
  const comparison = comparisonOf(user);
  return comparison !== null && Object.hasOwn(parts, comparison.state) ? comparison.state : "ready";
}

function lead(user, phase) {
  const name = calledIn(user);
  if (phase === "ready") return user.status === "verified" ? words.comparison.stillToVerify(name) : words.comparison.about;
  return { asked: words.comparison.asked, waiting: words.comparison.waiting, shown: words.comparison.shown }[phase]?.(name) ?? null;
}

const parts = {
  ready: (user) => [compareButton(user, words.comparison.now, user.status === "verified" ? "small" : null)],
  asked: (user) => [h("p", { class: "note" }, words.comparison.askedAbout), compareButton(user, words.comparison.now, "primary")],
  waiting: (user, { left }) => [
    h("div", { class: "row wrap" }, [
      left.value !== null && h("span", { role: "timer", class: "note left" }, clock(left.value)),
      cancelButton(user, words.cancel),
    ]),
  ],
  shown: (user, { looked, same }) => {
    const { digits, picture: pictured } = comparisonOf(user);
    return [
      h("p", { role: "img", class: "nine-digits", "aria-label": words.comparison.number(digits) }, digits.split(" ").map((group, index) => h("span", { key: index }, group))),
      picture(pictured),
      h("p", { class: "note" }, words.comparison.shownAbout),
      user.status !== "verified" && waitingFor(user.uuid) > 0 && h("p", { class: "note will-send" }, words.verification.willSend(waitingFor(user.uuid))),
      h("div", { class: "answers row" }, [
        h("button", { type: "button", class: "same", disabled: !looked.value, onClick: same }, [icon("check"), words.comparison.same]),
        h("button", { type: "button", class: "different", onClick: () => sayDifferent(user.uuid, user.fingerprint_sha256) }, [icon("cross"), words.comparison.different]),
        cancelButton(user, words.cancel, "plain"),
      ]),
    ];
  },
  failed: (user) => [
    h("p", { role: "alert", class: "warning" }, words.comparison.failed(words.reasons[comparisonOf(user).reason] ?? comparisonOf(user).reason)),
    h("div", { class: "row wrap" }, [compareButton(user, words.comparison.again, null), cancelButton(user, words.close)]),
  ],
  differs: (user) => {
    const verified = user.status === "verified";
    return [
      h("div", { role: "alert", class: "warning" }, [
        h("p", [icon("bang"), words.comparison.differs]),
        h("p", { class: "advice" }, verified ? words.comparison.differsVerified : words.comparison.differsAdvice),
      ]),
      h("div", { class: "row wrap" }, [
        h(Confirm, {
          label: verified ? words.person.unverify : words.person.reject,
          question: verified ? words.person.unverifySure : words.person.rejectSure,
          onYes: () => withdraw(user.uuid, user.fingerprint_sha256),
        }),
        h("button", { type: "button", onClick: () => dismissDifference(user.fingerprint_sha256) }, words.close),
      ]),
    ];
  },
};

function compareButton({ uuid, fingerprint_sha256: key }, label, kind) {
  return h("button", { type: "button", class: ["compare-now", kind], onClick: () => compareNow(uuid, key) }, label);
}

function cancelButton({ uuid }, label, kind = null) {
  return h("button", { type: "button", class: ["cancel", kind], onClick: () => endComparison(uuid) }, label);
}

/** The focus stays, also if it was on the button in the list of questions; who has it here sees what is new. */
async function follow(root) {
  const before = document.activeElement;
  await nextTick();
  if (!before.isConnected) root.value?.focus({ preventScroll: true });
  if (root.value?.contains(document.activeElement)) root.value.scrollIntoView({ block: "nearest" });
}

function countDown(left, timers) {
  const end = performance.now() + WAITS_SECONDS * 1000;
  const tick = () => (left.value = Math.max(0, Math.round((end - performance.now()) / 1000)));
  tick();
  timers.every(1000, tick);
}

function clock(seconds) {
  return words.comparison.left(Math.floor(seconds / 60), String(seconds % 60).padStart(2, "0"));
}

/** Timers that end with the phase, and with the card. */
function useTimers() {
  let ends = [];
  const timers = {
    after: (milliseconds, act) => ends.push(clearTimeout.bind(null, setTimeout(act, milliseconds))),
    every: (milliseconds, act) => ends.push(clearInterval.bind(null, setInterval(act, milliseconds))),
    clear: () => {
      for (const end of ends) end();
      ends = [];
    },
  };
  onUnmounted(timers.clear);
  return timers;
}
