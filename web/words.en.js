/* Every word that the page shows, in English. A translation is a file of the same shape.
 *
 * A sentence with something in it is a function, because languages put the parts in another order.
 * Say what a person can do; never blame; be sober about trust.
 */
const count = (number, one, many) => `${number} ${number === 1 ? one : many}`;

export const english = {
  language: "en",
  direction: "ltr",
  title: "CryptoChat",
  today: "Today",
  yesterday: "Yesterday",
  close: "Close",
  cancel: "Cancel",
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
  },

  rooms: {
    title: "Rooms",
    yours: "Your rooms",
    nearby: "Rooms nearby",
    people: (number) => count(number, "person", "people"),
    unread: (number) => count(number, "new message", "new messages"),
    join: "Join",
    joinNamed: (name) => `Join ${name}`,
    make: "Make or join a room",
    name: "Room name",
    public: "Names of rooms are public: everyone on this network can read them. What is said inside goes only to people you have verified.",
    nameFirst: "Type a name for the room first.",
    noneYet: "No room yet. Make one below: others on this network see it and can join.",
    noneNearby: "No other rooms on this network right now.",
  },

  conversation: {
    title: "Conversation",
    history: "Messages",
    welcome: "Talk to people on this network",
    welcomeSteps: [
      "Join a room, or make one.",
      "Verify the people in it, once: that is what makes it private.",
      "Write. Messages go straight from your computer to theirs, encrypted.",
    ],
    toRooms: "Go to the rooms",
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
  },

  message: {
    you: "you",
    sentAt: (time) => `Written by the sender's clock: ${time}`,
    nobody: "nobody else was here",
    delivered: (done, all) => (all === 1 ? (done ? "delivered" : "not delivered yet") : `delivered to ${done} of ${all}`),
    details: "Who has it",
    methods: {
      number: "sender verified by number",
      ceremony: "sender verified by live comparison",
      click: "sender verified by click",
      other: "sender verified",
    },
    states: { waiting: "waiting", delivered: "delivered", refused: "refused", withheld: "not sent", expired: "given up" },
  },

  // The program gives its reasons in English words; another language puts its own beside them here.
  reasons: { away: "they are away" },

  composer: {
    label: (room) => `Message to ${room}`,
    placeholder: "Write something …",
    send: "Send",
    sending: "Sending …",
    hint: "Enter sends, Shift + Enter makes a new line",
    tooLong: "This is too long for one message (64 KiB): cut it in two.",
    nobody: "Nobody else is here: this is kept, but goes to nobody.",
    audience: ({ all, now, away, undecided }) => {
      const parts = [];
      if (now) parts.push(`${now} verified`);
      if (away) parts.push(`${away} away, ${away === 1 ? "gets" : "get"} it later`);
      if (undecided.length) parts.push(`${undecided.length} waiting for you to verify`);
      return `${count(all, "person", "people")}: ${parts.join("; ")}`;
    },
    verify: (name) => `Verify ${name}`,
    verifyLookalike: (name) => `Verify whoever calls itself “${name}”`,
  },

  people: {
    title: "People",
    here: "In this room",
    elsewhere: "Elsewhere",
    asking: "Waiting for your answer",
    nobodyHere: "Nobody else is in this room yet.",
    nobody: "Nobody has been seen yet. People appear here when CryptoChat runs on their computers on this network.",
    nameless: (start) => `somebody (${start})`,
    resembles: (name) => `looks like the name of ${name}, whom you have verified; this is somebody else`,
    resemblesYou: "looks like your own name; this is somebody else",
    namesake: (start) => `(${start})`,
    callsItself: (name) => `calls itself “${name}”`,
    online: "here now",
    away: "away",
    status: { verified: "verified", unverified: "not verified", rejected: "refused", changed: "key changed" },
    notNow: "Refuse",
    verify: "Verify …",
    reasons: {
      queued: "You have written something for them. It waits until you have verified them.",
      knocked: "They tried to reach you. What they send waits until you have verified them.",
      asked: "You wanted to verify them.",
      other: "They wait for your answer.",
    },
    open: (name) => `About ${name}`,
  },

  person: {
    number: "Your safety number with them",
    numberAbout: "It is the same on both screens if nobody sits in between. Read groups of it to them when they ask you.",
    noKey: "We have not seen this person's key yet.",
    noKeyAway: "We have not seen this person's key yet, and they are away now.",
    look: "Look again",
    looking: "Asking their computer for its key …",
    verified: "You have compared keys with this person. Messages pass both ways as soon as they have verified you too.",
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
    why: "Anyone on this network can use any name. Comparing keys once settles whose it is.",
    ask: (name) => `Ask ${name}, in person or on the phone, to read you two groups of the safety number on their screen:`,
    group: (position) => `Group ${position}`,
    compare: "Compare",
    incomplete: "Type five digits in each of the two fields.",
    differs: "These are not the groups on this screen. Ask for them once more. If they still differ, somebody may sit between you: do not verify.",
    otherGroups: "Ask for two other groups",
    willSend: (number) => `With your yes, ${count(number, "message that waits for them is", "messages that wait for them are")} sent.`,
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
    title: "Both here? Compare live",
    about: "Are you both at your screens, side by side or on the phone? Both press Compare now.",
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
    differsAdvice: "Do not verify. Compare the safety number when you meet in person, or refuse this key.",
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
    label: "Something went wrong",
    lost: "CryptoChat is not answering.",
    unknown: "That did not work.",
    status: (status) => `CryptoChat refused this (${status}).`,
    dots: "A browser cannot open a room of this name.",
  },
};
