/* "Add someone": enter what they gave you, and give them yours.
 *
 * A contact code verifies its owner, so what a press of the button does stands above the button. A
 * code that came by a link may come from anybody: it is only put into the field, and for LOOK_FOR
 * nothing can be sent. So nobody who was pressing something else, in a page that opened this one or
 * put itself away from over it, presses this.
 */
import { h, onMounted, onUnmounted, ref, watch } from "../../vendor/vue.js";
import { addContact } from "../../actions/contacts.js";
import { isAddress } from "../../given.js";
import { state } from "../../store.js";
import { words } from "../../words.js";
import { contactCard } from "../people/contacts.js";
import { Dialog } from "../dialog.js";
import { OwnCode } from "./own-code.js";
import { Problem } from "../problem.js";

export const LOOK_FOR = 1_500; // milliseconds

export const AddSomeone = {
  setup() {
    const typed = ref("");
    const busy = ref(false);
    const looked = useLook();
    watch(() => state.offered, (offered) => {
      if (offered === null) return;
      typed.value = offered.text;
      looked.begin();
    }, { immediate: true });
    const submit = async (event) => {
      event.preventDefault();
      if (busy.value || !looked.at.value) return;
      busy.value = true;
      if (await addContact(typed.value)) typed.value = "";
      busy.value = false;
    };
    return () =>
      h(Dialog, { name: "add", title: words.add.title }, () =>
        h("div", { class: "add-parts" }, [
          h("section", { class: "their-code", "aria-labelledby": "their-code-title" }, [
            h("h3", { id: "their-code-title" }, words.add.theirs),
            h("form", { onSubmit: submit }, [
              state.offered && h("p", { class: "caution" }, words.add.byLink),
              field(typed, submit),
              typed.value.trim() !== "" && h("p", { class: "will-happen", id: "add-will" }, isAddress(typed.value) ? words.add.willLook : words.add.willVerify),
              h(Problem, { place: "add" }),
              h("button", { type: "submit", class: "primary", disabled: busy.value || !looked.at.value }, buttonText(typed.value)),
            ]),
            h("div", { role: "status", class: "added" }, added()),
          ]),
          h(OwnCode),
        ]),
      );
  },
};

function field(typed, submit) {
  return h("label", [
    words.add.field,
    h("textarea", {
      name: "contact",
      rows: 4,
      dir: "ltr",
      spellcheck: false,
      autocomplete: "off",
      autocapitalize: "off",
      "aria-describedby": "add-will",
      placeholder: words.add.placeholder,
      // On a narrow screen this would call up the keyboard over the rest.
      autofocus: state.offered === null && matchMedia("(width >= 62rem)").matches,
      value: typed.value,
      onInput: (event) => (typed.value = event.target.value),
      onKeydown: (event) => event.key === "Enter" && !event.isComposing && submit(event),
    }),
  ]);
}

function buttonText(typed) {
  if (typed.trim() === "") return words.add.add;
  return isAddress(typed) ? words.add.look : words.add.verify;
}

/** What has become of the one that was added last. */
function added() {
  const contact = state.contacts.get(state.added);
  return contact && contactCard(contact);
}

/** Whether the user has had the time to look; begun anew when the window comes to the front. */
function useLook() {
  const at = ref(true);
  let timer = null;
  const begin = () => {
    clearTimeout(timer);
    at.value = false;
    timer = setTimeout(() => (at.value = true), LOOK_FOR);
  };
  const front = () => state.offered !== null && begin();
  onMounted(() => addEventListener("focus", front));
  onUnmounted(() => {
    removeEventListener("focus", front);
    clearTimeout(timer);
  });
  return { at, begin };
}
