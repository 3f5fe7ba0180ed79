/* Every word that the page shows, in English. A translation is a file of the same shape.
 *
 * A sentence with something in it is a function, because languages put the parts in another order.
 * Say what a person can do; never blame; be sober about trust.
 */
const count = (number, one, many) => `${number} ${number === 1 ? one : many}`;

const list = (names, more) => names.join(", ") + (more > 0 ? ` and ${more} more` : "");

export const words = {
  language: "en",
  locale: null, // null: as the browser writes times in this language
  direction: "ltr",
  title: "CryptoChat",
  unreadTitle: (number) => `(${number}) CryptoChat`,
  today: "Today",
  yesterday: "Yesterday",
  justNow: "just now",
  close: "Close",
  cancel: "Cancel",
  copied: "Copied",
  notCopied: "The browser does not allow it: select the text, and copy it by Ctrl + C.",
  views: { label: "Parts of the page", rooms: "Rooms", talk: "Conversation", people: "People" },

  link: {
    connecting: "Connecting to CryptoChat on this computer …",
    lost: "CryptoChat is not answering. Messages that you have sent are safe in it. Start it again if it was closed; this page goes on by itself.",
    restarted: "CryptoChat was restarted. Open its page from the new start, or the link that it printed: this tab then goes on by itself. What you were typing is kept.",
    none: "This page needs the link that CryptoChat printed when it started, or a tab that has it open. Start CryptoChat, and open the page from there.",
    "used-link": "This link was used already, or is too old. Open the page from CryptoChat's own start, or the link that it printed.",
    returned: "CryptoChat is back. Nothing was lost.",
  },

  clone: (address, time) =>
    `Another CryptoChat is running with a copy of your identity, at ${address} (since ${time} or earlier). Messages now reach only one of the two. Stop one of them and delete its database; never run a copy. If you have made no copy, somebody else has your key: tell your friends to stop trusting it.`,

  identity: {
    label: "You",
    name: "Your name",
    edit: "Change your name",
    save: "Save",
    explain: "Others on this network see this name. Those who have verified you know that it is yours.",
    details: "Your key",
    language: "Language of the page",
  },

  rooms: {
    title: "Rooms",
    yours: "Your rooms",
    nearby: "Rooms nearby",
    people: (number) => count(number, "person", "people"),
    unread: (number, named) => `${count(number, "new message", "new messages")}${named ? ", you are named" : ""}`,
    join: "Join",
    joinNamed: (name) => `Join ${name}`,
    make: "Make or join a room",
    name: "Room name",
    public: "Names of rooms are public: everyone on this network can read them. What you write in one goes only to people you have verified.",
    nameFirst: "Type a name for the room first.",
    makeOrJoin: "Make or join",
    noneYet: "No room yet. Make one below: others on this network see it and can join.",
    noneNearby: "No other rooms on this network right now. Those that others make appear here by themselves.",
  },

  conversation: {
    title: "Conversation",
    history: "Messages",
    welcome: "Talk to people on this network",
    welcomeAbout: "Without a server, an account or the internet: what you write goes straight from your computer to theirs, encrypted, and to nobody else.",
    near: (names, more) => `Near you now: ${list(names, more)}`,
    makeRoom: "Make a room",
    welcomeSteps: [
      "Join a room, or make one.",
      "Verify the people in it, once: until then nothing of yours goes to them.",
      "Write, or draw.",
    ],
    leave: "Leave",
    leaveNamed: (name) => `Leave ${name}`,
    leaveSure: "Leave this room?",
    notJoined: (name) => `You are not in “${name}”. Join it to read and write here.`,
    log: (name) => `Messages in ${name}`,
    empty: "Nothing has been said here yet.",
    emptyAlone: "Nobody else is here yet. Run CryptoChat on another computer of this network and join this room there. You can write already: messages go to those who are in the room when you send.",
    earlier: "Show earlier messages",
    loading: "Loading …",
    beginning: "This is where the room begins for you.",
    toNewest: "To the newest message",
    new: "New",
    entering: (names, more) => `Now entering: ${list(names, more)}`,
    leaving: (names, more) => `Now leaving: ${list(names, more)}`,
  },

  message: {
    you: "you",
    sentAt: (time) => `Written by the sender's clock: ${time}`,
    nobody: "nobody else was here",
    delivered: (done, all) => (all === 1 ? (done ? "delivered" : "not delivered yet") : `delivered to ${done} of ${all}`),
    details: "Who has it",
    spoken: (name, text) => `${name}: ${text}`,
    by: { number: "by number", ceremony: "live", code: "by code", click: "by click", other: "verified" },
    methods: {
      number: "sender verified by number",
      ceremony: "sender verified by live comparison",
      code: "sender verified by code",
      click: "sender verified by click",
      other: "sender verified",
    },
    states: { waiting: "waiting", delivered: "delivered", refused: "refused", withheld: "not sent", expired: "given up" },
  },

  // The program says these in English; another language puts its own words beside them here.
  reasons: { away: "they are away" },

  pen: {
    open: "Draw",
    tools: "Tools",
    pen: "Pen",
    eraser: "Eraser",
    letters: "Letters: press where they begin, type, and press Enter",
    thin: "Thin",
    thick: "Thick",
    yours: "Your colour",
    colours: ["Black", "Red", "Orange", "Yellow", "Green", "Blue", "Purple", "Brown"],
    undo: "Undo",
    redo: "Redo",
    clear: "Clear",
    trace: "Trace a picture …",
    sheet: "Sheet to draw on",
    keys: "Draw with a mouse, a finger or a pen. By keys: the arrows move, Space puts the pen down and up, Ctrl + Z undoes.",
    neverSent: "The picture under the sheet stays here: only your strokes are sent.",
    away: "Take it away",
    noPicture: "This is no picture that the browser can show.",
    full: "The sheet is full: send it, or undo something.",
    fullness: (percent) => `The sheet is ${percent}% full.`,
    description: "What does it show? (for search, and for who cannot see it)",
    send: "Send drawing",
  },

  drawing: {
    summary: null, // of one without words: as reasons
    by: ({ name, known }, sender) => (known ? `With strokes by ${name}` : `${sender} says that strokes are by “${name}”`),
    replay: "Replay",
    stop: "Stop",
    takeUp: "Draw on it",
    png: "Save as PNG",
    svg: "Save as SVG",
  },

  flipBook: {
    open: "Flip-book",
    title: "The last drawings of this room",
    page: (at, all) => `${at} of ${all}`,
    play: "Play",
    pause: "Pause",
    back: "Previous",
    next: "Next",
  },

  composer: {
    label: (room) => `Message to ${room}`,
    placeholder: "Write something …",
    send: "Send",
    sending: "Sending …",
    hint: "Enter sends, Shift + Enter makes a new line",
    tooLong: "This is too long for one message (64 KiB): cut it in two.",
    nobody: "Nobody else is here: this is kept, but goes to nobody.",
    audience: ({ all, verified, away, undecided }) => {
      const parts = [];
      if (verified) parts.push(`${verified} verified`);
      if (undecided.length) parts.push(`${undecided.length} waiting for you to verify`);
      if (away) parts.push(`${away} away, ${away === 1 ? "gets" : "get"} it later`);
      return `${count(all, "person", "people")}: ${parts.join(", ")}`;
    },
    names: "Who is meant",
    verify: (name) => `Verify ${name}`,
    verifyLookalike: (name) => `Verify whoever calls itself “${name}”`,
  },

  notifications: {
    ask: "Shall this computer show a notice when somebody writes while you look elsewhere? It says who and where, not what.",
    yes: "Yes, show notices",
    no: "No",
    title: (name) => `${name} has written`,
    body: (room) => `in ${room}`,
  },

  search: {
    open: "Search (Ctrl + K)",
    title: "Search",
    field: "Words to look for",
    hint: "In all rooms, in everything that has been said, and in the words of drawings.",
    found: (number, more) => (more ? `The newest ${number}. Arrow keys choose, Enter goes there.` : `${count(number, "message", "messages")}. Arrow keys choose, Enter goes there.`),
    nothing: (typed) => `Nothing with “${typed}”. Try fewer words, or the beginning of one.`,
    further: "Look further back",
  },

  keys: {
    open: "Keyboard shortcuts (Ctrl + /)",
    title: "Keyboard shortcuts",
    names: { Space: "Space" },
    search: "Search",
    list: "This list",
    draw: "Open or close the pen",
    previous: "The room before",
    next: "The next room",
    more: [
      { keys: ["Enter"], text: "Send" },
      { keys: ["Shift", "Enter"], text: "A new line" },
      { keys: ["@"], text: "Name somebody: type the beginning of the name, choose with the arrows" },
      { keys: ["Tab"], text: "On to the next part; with Shift back" },
      { keys: ["Esc"], text: "Close what is open" },
      { keys: ["Space"], text: "With the pen: down and up; the arrows move it" },
      { keys: ["Ctrl", "Z"], text: "With the pen: undo" },
    ],
  },

  people: {
    title: "People",
    here: "In this room",
    elsewhere: "Elsewhere",
    asking: "Waiting for your answer",
    nobodyHere: "Nobody else is in this room yet. Tell somebody on this network its name, so that they join it, or add someone by a code.",
    nobody: "Nobody has been seen yet. People appear here when CryptoChat runs on their computers on this network. Somebody in another network, or one that hides its computers from each other, can be added by a code.",
    nameless: (start) => `somebody (${start})`,
    resembles: (name) => `looks like the name of ${name}, whom you have verified; this is somebody else`,
    resemblesYou: "looks like your own name; this is somebody else",
    namesake: (start) => `(${start})`,
    claimed: (name) => `“${name}”`,
    callsItself: (name) => `calls itself “${name}”`,
    reachable: "reachable now",
    announced: "announced",
    silent: (why) => (why ? `announced, but not answering (${why})` : "announced, but not answering"),
    away: "away",
    seen: (ago) => `seen ${ago}`,
    troubles: {
      refused: "refused",
      "timed-out": "timed out",
      "no-route": "no way there",
      lost: "connection lost",
      "no-tls": "not a CryptoChat",
      "too-old": "too old",
      "wrong-key": "another key",
      "no-such-name": "no such name",
      itself: "this computer itself",
      undecided: "has not verified you yet",
    },
    status: { verified: "verified", unverified: "not verified", rejected: "refused", changed: "key changed" },
    refuse: "Refuse this key",
    verify: "Verify …",
    reasons: {
      queued: "You have written something for them. It waits until you have verified them.",
      knocked: "They tried to reach you. What they send waits until you have verified them.",
      asked: "You wanted to verify them.",
      other: "They wait for your answer.",
    },
    open: (name) => `About ${name}`,
  },

  // Contact codes: ours, and what others gave us.
  code: {
    title: "Give them your contact code",
    use: "Give this to somebody by a way that you trust: paper, phone, another messenger. Whoever has it can find and verify you; it is not secret, but somebody who can swap it on its way can pose as you.",
    qr: "QR code of your contact code",
    copy: "Copy code",
    more: "As a link; your addresses",
    link: "Opens in their own CryptoChat, if it runs at its usual port:",
    copyLink: "Copy link",
    addresses: "With this code you are looked for at:",
    noAddress: "This computer has no address that others could reach now: the code verifies you, but leads nowhere.",
  },

  add: {
    title: "Add someone",
    theirs: "Enter what they gave you",
    field: "Their contact code, their link, or an address",
    placeholder: "cryptochat:… or 192.168.1.5:4242",
    willVerify: "This verifies whoever this code belongs to: what you write in rooms that you share goes to them, and what they write comes to you. They have to add you too.",
    willLook: "An address verifies nobody: whoever answers there is put into the list of people, not verified.",
    byLink: "A link brought this code here, and anybody can make such a link. Go on only if you know who gave it to you: in person, on paper, by phone or by a messenger that you trust. If it came from a web page, or you do not know why it is here, close this.",
    kept: "The contact code from the link is kept, and shown as soon as this page is connected.",
    add: "Add",
    verify: "Verify and add",
    look: "Look there",
    typeFirst: "Paste a contact code, a link or an address first.",
    refused: (code, isAddress) =>
      ({
        malformed: isAddress
          ? "This is no address that can be looked at. It has the form host:port, as in 192.168.1.5:4242."
          : "This is no contact code. A code begins with cryptochat: and is long; an address has the form host:port.",
        "damaged-code": "A character of this code is wrong or missing. Copy all of it once more, or scan it.",
        "newer-code": "This code was made by a newer CryptoChat. Bring yours up to date, or compare the safety number.",
        "own-code": "This is your own code. It is for others: ask them for theirs.",
        "too-many-contacts": "You are looking for 64 people already. Remove some of them first.",
      })[code],
  },

  contacts: {
    title: "Added by you",
    looking: (where, why, byCode) => {
      const place = where ? ` at ${where}` : "";
      const verifies = byCode ? " They are verified when they are found." : "";
      return why ? `Looking for them${place}: ${why}. It is tried again by itself.${verifies}` : `Looking for them${place} …${verifies}`;
    },
    reasons: {
      refused: "no CryptoChat listens there (refused)",
      "timed-out": "nobody answers there (timed out)",
      "no-route": "no way leads there from this network (no route)",
      lost: "the connection broke off",
      "no-tls": "something that is not CryptoChat answers there",
      "too-old": "a program that is too old answers there",
      "wrong-key": "somebody else answers there, with another key",
      "no-such-name": "no computer of that name is known",
      itself: "that is this computer itself",
      undecided: "they answer, but have not verified you yet. Give them your code",
    },
    byCode: "Found. Verified by code.",
    foundByCode: "Found, but this key is not verified: see their card.",
    foundByAddress: "Found. They are in the list of people now; nobody is verified by an address.",
    show: "Show",
    read: "All right",
    remove: "Remove",
    removeNamed: (who) => `Remove ${who}`,
    addedAt: (where) => (where ? `Added by you, looked for at ${where}.` : "Added by you."),
    removeAddress: "Do not look there",
  },

  doctor: {
    open: "Can't see somebody?",
    title: "Can't see somebody?",
    again: "Check again",
    checking: "Checking …",
    copy: "Copy report",
    summary: (problems, notices) => {
      if (problems + notices === 0) return "Nothing stands in the way on this computer, as far as can be told from here. If you still miss somebody, run this on their computer too, or add each other by a code.";
      const parts = [];
      if (problems) parts.push(count(problems, "problem", "problems"));
      if (notices) parts.push(count(notices, "thing to know", "things to know"));
      return `Found: ${parts.join(", ")}.`;
    },
    levels: { problem: "Problem", notice: "To know", good: "Good" },
    visible: "What the network sees of you",
    findings: {}, // code -> (values, names) => [text, advice]; as reasons
  },

  person: {
    number: "Your safety number with them",
    numberAbout: "It is the same on both screens if nobody sits in between. Read groups of it to them when they ask you.",
    noKey: "We have not seen this person's key yet.",
    noKeyAway: "We have not seen this person's key yet, and they are away now.",
    look: "Look again",
    verified: "You have compared keys with this person. Messages pass both ways as soon as they have verified you too.",
    verifiedByCode: "You have verified this person by their contact code. Messages pass both ways as soon as they have verified you too.",
    rejected: "You have refused this key: nothing is sent to it, and nothing is taken from it.",
    unverify: "Stop trusting",
    unverifySure: "Stop trusting this person? Nothing more is sent or taken until you verify them again.",
    reject: "Refuse this key",
    rejectSure: "Refuse this key? Nothing is sent to it or taken from it.",
    forget: "Forget this person",
    forgetSure: "Forget this key and what you decided about it? Messages stay.",
    details: "Fingerprints and UUID",
    uuid: "UUID",
    sha256: "SHA-256 fingerprint",
    sha1: "SHA-1 fingerprint, for those who have only that",
    unknown: "not known yet",
  },

  verification: {
    title: (name) => `Is this really ${name}?`,
    ask: (name) => `Or ask ${name}, in person or on the phone, to read you two groups of the safety number, which stands under your name on their screen:`,
    group: (position) => `Group ${position}`,
    compare: "Check the groups",
    incomplete: "Type five digits in each of the two fields.",
    differs: "These are not the groups on this screen. Ask for them once more. If they still differ, somebody may sit between you: do not trust this key.",
    otherGroups: "Ask for two other groups",
    willSend: (number) => `When you verify them, ${count(number, "waiting message is", "waiting messages are")} sent.`,
    reading: "They ask you to read groups too?",
    readingAbout: "The two groups that you are asking for are covered, so that they come from them and not from this screen.",
    uncover: "Show all groups",
    covered: "covered",
    other: "Another way to compare",
    otherAbout: "Only if you have compared the whole number, or the fingerprint below, by a way that nobody else can change.",
    otherYes: "I compared everything: it is the same",
  },

  comparison: {
    label: "Live comparison",
    about: "Both at your screens now, side by side or on the phone? Then both press Compare now.",
    stillToVerify: (name) => `Does ${name} still have to verify you? Then both press Compare now, on your two screens.`,
    now: "Compare now",
    asked: (name) => `${name} has pressed Compare now and waits for you.`,
    askedInList: "They have pressed Compare now and wait for you to press it too. Do it only while you are with them, or on the phone.",
    askedAbout: "Press it too if you are with them, or on the phone.",
    waiting: (name) => `Now ${name} has to press Compare now too, on their own screen.`,
    left: (minutes, seconds) => `${minutes}:${seconds} left`,
    shown: (name) => `Does ${name}'s screen show exactly this: the number and the picture?`,
    shownAbout: "One of you reads it out, the other looks.",
    number: (digits) => `The number: ${[...digits.replaceAll(" ", ",")].join(" ")}`,
    picture: "The picture",
    // A language with other rules gives each shape and colour its own words here.
    part: ({ shape, colour }) => `${colour} ${shape}`,
    same: "The same",
    different: "Different",
    done: "Compared: both screens showed the same.",
    differs: "The two screens show different things. Unless one of you has misread, that is no accident: somebody may sit between you, and could read what you write.",
    differsAdvice: "Do not trust this key. Compare the safety number when you meet in person, or refuse this key.",
    differsVerified: "Stop trusting this key, and compare the safety number when you meet in person.",
    failed: (reason) => `There is no result: ${reason}.`,
    again: "Try again",
  },

  conflict: {
    title: (name) => `A different key claims to be ${name}`,
    meaning: "It showed up on this network under the same UUID. Nothing has changed for the key that you verified: messages still go to it alone. Either somebody pretends to be this person, or they have set up CryptoChat anew.",
    advice: "Ask them, in person or on the phone. Unless they tell you that they have a new key, refuse it.",
    refuse: "Refuse the other key",
    trust: "It is theirs: trust the other key instead",
    trustSure: "Have you compared this fingerprint with the one on their screen?",
    trustYes: "Yes, it is the same",
    fingerprint: "The other key's SHA-256 fingerprint",
    seen: (address, time) => `Seen at ${address ?? "an unknown address"}, ${time}.`,
    changed: (name) => `Two keys claim to be ${name}`,
    changedMeaning: "You have verified neither of them, so nothing is sent to either. One of them may belong to somebody who pretends to be this person.",
    changedAdvice: "Compare the safety number with the real person: only their own key gives the number on their screen. If the groups differ, refuse this key: the other one is then shown to compare.",
  },

  problems: {
    lost: "CryptoChat is not answering.",
    unknown: "That did not work.",
    status: (status) => `CryptoChat refused this (${status}).`,
    codes: {}, // as reasons
    dots: "A browser cannot open a room of this name.",
  },
};
