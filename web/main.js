/* Where the page is put together: this file is read first.
 *
 * Data flows one way, and each arrow is one file:
 *
 *     api.js    what we ask of the program     \
 *     tabs.js   what the program tells us      /  ->  sync.js  ->  store.js  ->  components/*
 *                                                                                    |
 *     api.js  <-  actions/*, what a person can do  <---------------------------------+
 *
 * `attention.js` looks at the store too, and asks for attention. `session.js` and `invitation.js` read what comes in the address: a token, a contact code.
 *
 * Components read the store and call actions. They never fetch, and nothing but sync.js and
 * actions/* changes the store. The program is the same machine's CryptoChat; the page talks to
 * nothing else, and its policy would not let it.
 */
import { createApp } from "./vendor/vue.js";
import { offerCode } from "./actions/contacts.js";
import * as api from "./api.js";
import { startAttention } from "./attention.js";
import { App } from "./components/app.js";
import * as invitation from "./invitation.js";
import * as session from "./session.js";
import * as sync from "./sync.js";
import { startShortcuts } from "./shortcuts.js";
import { share } from "./tabs.js";
import { startClock } from "./time.js";
import { dress } from "./words.js";

dress(document.documentElement);
startClock();
startAttention();
startShortcuts();
invitation.start(offerCode);
session.start({ exchange: api.exchangeCode, onState: sync.sessionChanged });
createApp(App).mount("#app");
share({ onOpen: sync.opened, onEvent: sync.received, onLost: sync.lost, onLead: sync.leads });
