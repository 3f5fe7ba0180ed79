/* كلّ كلمة تظهر في الصفحة، بالعربيّة. Every word that the page shows, in Arabic; of the same shape as en.js.
 *
 * What comes from outside (names, rooms, addresses) stands in isolates (U+2068, U+2069), so that it
 * keeps its own direction within a sentence.
 */
const own = (text) => `\u2068${text}\u2069`;
const plural = new Intl.PluralRules("ar");

/** `forms`: one, two, few (3 to 10), many (11 to 99), other (hundreds), zero; with `#` for the number. */
const count = (number, { zero, one, two, few, many, other }) =>
  ({ zero: zero ?? other, one, two, few, many, other })[plural.select(number)].replace("#", number);

const PEOPLE = { one: "شخص واحد", two: "شخصان", few: "# أشخاص", many: "# شخصًا", other: "# شخص" };
const MESSAGES = { one: "رسالة واحدة", two: "رسالتان", few: "# رسائل", many: "# رسالة", other: "# رسالة" };
const NEW_MESSAGES = { one: "رسالة جديدة", two: "رسالتان جديدتان", few: "# رسائل جديدة", many: "# رسالة جديدة", other: "# رسالة جديدة" };

const list = (names, more) => names.map(own).join("، ") + (more > 0 ? ` و${count(more, { one: "آخر", two: "آخران", few: "# آخرون", many: "# آخرون", other: "# آخرون" })}` : "");

const REASONS = {
  refused: "لا يستمع CryptoChat هناك (رُفض الاتصال)",
  "timed-out": "لا يجيب أحد هناك (انتهت المهلة)",
  "no-route": "لا طريق إلى هناك من هذه الشبكة",
  lost: "انقطع الاتصال",
  "no-tls": "يجيب هناك برنامج آخر غير CryptoChat",
  "too-old": "يجيب هناك برنامج قديم جدًّا",
  "wrong-key": "يجيب هناك شخص آخر بمفتاح آخر",
  "no-such-name": "لا يُعرف حاسوب بهذا الاسم",
  itself: "هذا هو الحاسوب نفسه",
  undecided: "يجيبون، لكنهم لم يتحقّقوا منك بعد. أعطهم رمزك",
};

const SHAPES = {
  anchor: "مرساة", apple: "تفاحة", bell: "جرس", boat: "قارب", book: "كتاب", candle: "شمعة", cat: "قطة", cloud: "سحابة",
  crown: "تاج", cup: "كوب", fish: "سمكة", flag: "علم", flower: "زهرة", hat: "قبعة", house: "بيت", key: "مفتاح",
  kite: "طائرة ورقية", leaf: "ورقة شجر", moon: "قمر", mushroom: "فطر", star: "نجمة", sun: "شمس", tree: "شجرة", umbrella: "مظلّة",
};
const COLOURS = {
  red: "بالأحمر", orange: "بالبرتقالي", yellow: "بالأصفر", green: "بالأخضر", blue: "بالأزرق", purple: "بالبنفسجي", brown: "بالبنّي", grey: "بالرمادي",
};

const at = ({ interface: name }) => (name ? ` على ${own(name)}` : "");
const they = (names) => (names.length > 0 ? names.map(own).join("، ") : "أحدهم");
const FIREWALL = "اسمح في الجدار الناري لهذا الحاسوب بمنفذ UDP ‏5353 دخولًا وخروجًا.";
const USE_CODES = "أضيفوا بعضكم بعضًا برموز الاتصال: فهي لا تحتاج إلى البثّ المتعدّد.";

/** Somebody who cannot be reached: why, and what to do. */
const peer = (reason, advice) => (values, names) => [`تعذّر الوصول إلى ${they(names)}: ${reason}.`, advice];

export const words = {
  language: "ar",
  locale: "ar-u-nu-latn", // the digits of safety numbers and of times are the same
  direction: "rtl",
  title: "CryptoChat",
  unreadTitle: (number) => `(${number}) CryptoChat`,
  today: "اليوم",
  yesterday: "أمس",
  justNow: "الآن",
  close: "إغلاق",
  cancel: "إلغاء",
  copied: "نُسخ",
  notCopied: "المتصفّح لا يسمح بذلك: حدّد النصّ وانسخه بـ Ctrl + C.",
  views: { label: "أجزاء الصفحة", rooms: "الغرف", talk: "المحادثة", people: "الأشخاص" },

  link: {
    connecting: "يجري الاتصال ببرنامج CryptoChat على هذا الحاسوب …",
    lost: "برنامج CryptoChat لا يجيب. الرسائل التي أرسلتها محفوظة فيه. أعد تشغيله إن كان قد أُغلق؛ وستتابع هذه الصفحة من تلقاء نفسها.",
    restarted: "أُعيد تشغيل CryptoChat. افتح صفحته من التشغيل الجديد أو من الرابط الذي طبعه، فتتابع هذه الصفحة من تلقاء نفسها. ما كنت تكتبه محفوظ.",
    none: "تحتاج هذه الصفحة إلى الرابط الذي طبعه CryptoChat عند بدئه، أو إلى نافذة أخرى مفتوحة عليه. شغّل CryptoChat وافتح الصفحة منه.",
    "used-link": "هذا الرابط استُعمل من قبل أو انتهت صلاحيّته. افتح الصفحة من CryptoChat نفسه أو من الرابط الذي طبعه.",
    returned: "عاد CryptoChat. لم يضع شيء.",
  },

  clone: (address, time) =>
    `يعمل CryptoChat آخر بنسخة من هويّتك، عند ${own(address)} (منذ ${time} أو قبل ذلك). الرسائل تصل الآن إلى واحد منهما فقط. أوقف أحدهما واحذف قاعدة بياناته، ولا تشغّل نسخة أبدًا. إن لم تصنع نسخة فإنّ شخصًا آخر يملك مفتاحك: قل لأصدقائك أن يكفّوا عن الوثوق بمفتاحك هذا.`,

  identity: {
    label: "أنت",
    name: "اسمك",
    edit: "غيّر اسمك",
    save: "احفظ",
    explain: "يرى الآخرون على هذه الشبكة هذا الاسم. ومن تحقّقوا منك يعرفون أنّه لك.",
    details: "مفتاحك",
    language: "لغة الصفحة",
  },

  rooms: {
    title: "الغرف",
    yours: "غرفك",
    nearby: "غرف قريبة",
    people: (number) => count(number, PEOPLE),
    unread: (number, named) => `${count(number, NEW_MESSAGES)}${named ? "، وفيها اسمك" : ""}`,
    join: "انضمّ",
    joinNamed: (name) => `انضمّ إلى ${own(name)}`,
    make: "أنشئ غرفة أو انضمّ إليها",
    name: "اسم الغرفة",
    public: "أسماء الغرف علنيّة: يستطيع كلّ من على هذه الشبكة قراءتها. وما تكتبه فيها لا يذهب إلّا إلى من تحقّقتَ منهم.",
    nameFirst: "اكتب اسمًا للغرفة أوّلًا.",
    makeOrJoin: "أنشئ أو انضمّ",
    noneYet: "لا غرفة بعد. أنشئ واحدة أدناه: يراها الآخرون على هذه الشبكة ويمكنهم الانضمام إليها.",
    noneNearby: "لا غرف أخرى على هذه الشبكة الآن. ما ينشئه الآخرون يظهر هنا من تلقاء نفسه.",
  },

  conversation: {
    title: "المحادثة",
    history: "الرسائل",
    welcome: "تحدّث مع من على هذه الشبكة",
    welcomeAbout: "بلا خادم ولا حساب ولا إنترنت: يذهب ما تكتبه مباشرة من حاسوبك إلى حواسيبهم، مشفّرًا، ولا يذهب إلى أحد غيرهم.",
    near: (names, more) => `قريبون منك الآن: ${list(names, more)}`,
    makeRoom: "أنشئ غرفة",
    welcomeSteps: [
      "انضمّ إلى غرفة أو أنشئ واحدة.",
      "تحقّق ممّن فيها مرّة واحدة: فقبل ذلك لا يذهب إليهم شيء ممّا تكتب.",
      "اكتب أو ارسم.",
    ],
    leave: "غادر",
    leaveNamed: (name) => `غادر ${own(name)}`,
    leaveSure: "أتغادر هذه الغرفة؟",
    notJoined: (name) => `لست في «${own(name)}». انضمّ إليها لتقرأ وتكتب هنا.`,
    log: (name) => `الرسائل في ${own(name)}`,
    empty: "لم يُقل شيء هنا بعد.",
    emptyAlone: "لا أحد غيرك هنا بعد. شغّل CryptoChat على حاسوب آخر في هذه الشبكة وانضمّ هناك إلى هذه الغرفة. يمكنك أن تكتب من الآن: تذهب الرسائل إلى من هم في الغرفة حين ترسلها.",
    earlier: "اعرض رسائل أقدم",
    loading: "يجري التحميل …",
    beginning: "من هنا تبدأ الغرفة عندك.",
    toNewest: "إلى أحدث رسالة",
    new: "جديد",
    entering: (names, more) => `دخل الآن: ${list(names, more)}`,
    leaving: (names, more) => `خرج الآن: ${list(names, more)}`,
  },

  message: {
    you: "أنت",
    sentAt: (time) => `كُتبت بحسب ساعة المرسل: ${time}`,
    nobody: "لم يكن هنا أحد غيرك",
    delivered: (done, all) => (all === 1 ? (done ? "وصلت" : "لم تصل بعد") : `وصلت إلى ${done} من ${all}`),
    details: "من وصلت إليه",
    spoken: (name, text) => `${own(name)}: ${own(text)}`,
    by: { number: "برقم الأمان", ceremony: "بمقارنة مباشرة", code: "برمز الاتصال", click: "بنقرة", other: "مُتحقَّق منه" },
    methods: {
      number: "تُحقِّق من المرسل بالرقم",
      ceremony: "تُحقِّق من المرسل بمقارنة مباشرة",
      code: "تُحقِّق من المرسل برمز الاتصال",
      click: "تُحقِّق من المرسل بنقرة",
      other: "تُحقِّق من المرسل",
    },
    states: { waiting: "تنتظر", delivered: "وصلت", refused: "رُفضت", withheld: "لم تُرسل", expired: "توقّفت المحاولة" },
  },

  reasons: {
    away: "هم غائبون",
    "asleep or off the network": "حاسوبه في وضع السكون أو خارج الشبكة",
    "has not verified you yet": "لم يتحقّق منك بعد",
    "cannot take more at the moment": "لا يستطيع أخذ المزيد الآن",
    "gave an answer that makes no sense": "أجاب بما لا معنى له",
    "the connection was lost before the answer": "انقطع الاتصال قبل الجواب",
    "has left the room": "غادر الغرفة",
    "has rejected you": "رفضك",
    "could not read the message": "لم يستطع قراءة الرسالة",
    "the message is too large for them": "الرسالة أكبر ممّا يقبله",
    "refused it": "رفضها",
    "waiting for you to verify": "تنتظر أن تتحقّق منه",
    "you have taken your trust back": "سحبتَ ثقتك به",
    "somebody else answers at this person's address": "يجيب شخص آخر عند عنوان هذا الشخص",
    "it waited too long": "انتظرت أطول ممّا ينبغي",
    "they have not pressed “compare now” within two minutes": "لم يضغط الطرف الآخر «قارن الآن» خلال دقيقتين",
    "it broke off in the middle: begin again, and if it happens again, somebody may be interfering": "انقطعت في منتصفها: ابدأ من جديد، فإن تكرّر ذلك فلعلّ أحدًا يتدخّل",
    "what the other side revealed is not what it had promised: somebody is interfering": "ما كشفه الطرف الآخر ليس ما تعهّد به: هناك من يتدخّل",
    "their program gave an answer that makes no sense": "أجاب برنامجهم بما لا معنى له",
    "their program could not be reached": "تعذّر الوصول إلى برنامجهم",
    "you have both pressed, but your programs did not come together: begin again": "ضغطتما كلاكما لكنّ البرنامجين لم يلتقيا: ابدآ من جديد",
    "this key has been forgotten or replaced here meanwhile": "نُسي هذا المفتاح هنا أو استُبدل في هذه الأثناء",
    "they have rejected you": "رفضك الطرف الآخر",
    "their program does not know this comparison: compare the safety number": "برنامجهم لا يعرف هذه المقارنة: قارنا رقم الأمان",
  },

  pen: {
    open: "ارسم",
    tools: "الأدوات",
    pen: "قلم",
    eraser: "ممحاة",
    letters: "حروف: اضغط حيث تبدأ، واكتب، ثمّ اضغط Enter",
    thin: "رفيع",
    thick: "سميك",
    yours: "لونك",
    colours: ["أسود", "أحمر", "برتقالي", "أصفر", "أخضر", "أزرق", "بنفسجي", "بنّي"],
    undo: "تراجع",
    redo: "أعد",
    clear: "امسح الكلّ",
    trace: "ارسم فوق صورة …",
    sheet: "ورقة للرسم",
    keys: "ارسم بالفأرة أو بالإصبع أو بالقلم. وبالمفاتيح: الأسهم تحرّك، والمسافة تنزل القلم وترفعه، و Ctrl + Z يتراجع.",
    neverSent: "الصورة تحت الورقة تبقى هنا: لا تُرسل إلّا خطوطك.",
    away: "أزلها",
    noPicture: "ليست هذه صورة يستطيع المتصفّح عرضها.",
    full: "امتلأت الورقة: أرسلها أو تراجع عن شيء.",
    fullness: (percent) => `امتلأ من الورقة ${percent}%.`,
    description: "ماذا في الرسم؟ (للبحث، ولمن لا يراه)",
    send: "أرسل الرسم",
  },

  drawing: {
    summary: ({ strokes, colours, letters }) =>
      `رسم: ${count(strokes, { zero: "بلا خطوط", one: "خطّ واحد", two: "خطّان", few: "# خطوط", many: "# خطًّا", other: "# خطّ" })}، ${count(colours, { zero: "بلا ألوان", one: "لون واحد", two: "لونان", few: "# ألوان", many: "# لونًا", other: "# لون" })}${letters ? `، وفيه «${own(letters)}»` : ""}`,
    by: ({ name, known }, sender) => (known ? `فيه خطوط رسمها ${own(name)}` : `يقول ${own(sender)} إنّ فيه خطوطًا رسمها «${own(name)}»`),
    replay: "أعد العرض",
    stop: "توقّف",
    takeUp: "ارسم عليه",
    png: "احفظ PNG",
    svg: "احفظ SVG",
  },

  flipBook: {
    open: "دفتر الرسوم",
    title: "آخر رسوم هذه الغرفة",
    page: (page, all) => `${page} من ${all}`,
    play: "شغّل",
    pause: "أوقف",
    back: "السابق",
    next: "التالي",
  },

  composer: {
    label: (room) => `رسالة إلى ${own(room)}`,
    placeholder: "اكتب شيئًا …",
    send: "أرسل",
    sending: "يجري الإرسال …",
    hint: "Enter يرسل، و Shift + Enter يبدأ سطرًا جديدًا",
    tooLong: "هذه أطول من رسالة واحدة (64 كيبيبايت): اقسمها اثنتين.",
    nobody: "لا أحد غيرك هنا: تُحفظ الرسالة ولا تذهب إلى أحد.",
    audience: ({ all, verified, away, undecided }) => {
      const parts = [];
      if (verified) parts.push(count(verified, { one: "واحد مُتحقَّق منه", two: "اثنان مُتحقَّق منهما", few: "# مُتحقَّق منهم", many: "# مُتحقَّقًا منهم", other: "# مُتحقَّق منهم" }));
      if (undecided.length) parts.push(count(undecided.length, { one: "واحد ينتظر أن تتحقّق منه", two: "اثنان ينتظران أن تتحقّق منهما", few: "# ينتظرون أن تتحقّق منهم", many: "# ينتظرون أن تتحقّق منهم", other: "# ينتظرون أن تتحقّق منهم" }));
      if (away) parts.push(count(away, { one: "غائب واحد تصله لاحقًا", two: "غائبان تصلهما لاحقًا", few: "# غائبين تصلهم لاحقًا", many: "# غائبًا تصلهم لاحقًا", other: "# غائب تصلهم لاحقًا" }));
      return `${count(all, PEOPLE)}: ${parts.join("، ")}`;
    },
    names: "من المقصود",
    verify: (name) => `تحقّق من ${own(name)}`,
    verifyLookalike: (name) => `تحقّق ممّن يسمّي نفسه «${own(name)}»`,
  },

  notifications: {
    ask: "أيُظهر هذا الحاسوب إشعارًا حين يكتب أحد وأنت تنظر إلى غير هذه الصفحة؟ يقول من وأين، لا ماذا.",
    yes: "نعم، أظهر الإشعارات",
    no: "لا",
    title: (name) => `كتب ${own(name)}`,
    body: (room) => `في ${own(room)}`,
  },

  search: {
    open: "ابحث (Ctrl + K)",
    title: "البحث",
    field: "كلمات تبحث عنها",
    hint: "في كلّ الغرف، وفي كلّ ما قيل، وفي كلمات الرسوم.",
    found: (number, more) => `${more ? `أحدث ${number}` : count(number, MESSAGES)}. الأسهم تختار، و Enter يذهب إلى المكان.`,
    nothing: (typed) => `لا شيء فيه «${own(typed)}». جرّب كلمات أقلّ، أو بداية كلمة.`,
    further: "ابحث أبعد",
  },

  keys: {
    open: "اختصارات لوحة المفاتيح (Ctrl + /)",
    title: "اختصارات لوحة المفاتيح",
    names: { Space: "المسافة" },
    search: "البحث",
    list: "هذه القائمة",
    draw: "افتح لوح الرسم أو أغلقه",
    previous: "الغرفة السابقة",
    next: "الغرفة التالية",
    more: [
      { keys: ["Enter"], text: "أرسل" },
      { keys: ["Shift", "Enter"], text: "سطر جديد" },
      { keys: ["@"], text: "سمِّ أحدًا: اكتب بداية الاسم واختر بالأسهم" },
      { keys: ["Tab"], text: "إلى الجزء التالي، ومع Shift إلى السابق" },
      { keys: ["Esc"], text: "أغلق ما هو مفتوح" },
      { keys: ["Space"], text: "مع القلم: أنزله وارفعه، والأسهم تحرّكه" },
      { keys: ["Ctrl", "Z"], text: "مع القلم: تراجع" },
    ],
  },

  people: {
    title: "الأشخاص",
    here: "في هذه الغرفة",
    elsewhere: "في مكان آخر",
    asking: "بانتظار جوابك",
    nobodyHere: "لا أحد غيرك في هذه الغرفة بعد. قل اسمها لمن على هذه الشبكة لينضمّ إليها، أو أضف أحدًا برمز.",
    nobody: "لم يُرَ أحد بعد. يظهر الناس هنا حين يعمل CryptoChat على حواسيبهم في هذه الشبكة. ومن كان في شبكة أخرى، أو في شبكة تخفي حواسيبها بعضها عن بعض، يمكن أن يضاف برمز.",
    nameless: (start) => `شخص ما (${own(start)})`,
    resembles: (name) => `يشبه اسم ${own(name)} الذي تحقّقتَ منه؛ وهذا شخص آخر`,
    resemblesYou: "يشبه اسمك أنت؛ وهذا شخص آخر",
    namesake: (start) => `(${own(start)})`,
    claimed: (name) => `«${own(name)}»`,
    callsItself: (name) => `يسمّي نفسه «${own(name)}»`,
    reachable: "يمكن الوصول إليه الآن",
    announced: "معلَن عنه",
    silent: (why) => (why ? `معلَن عنه لكنّه لا يجيب (${why})` : "معلَن عنه لكنّه لا يجيب"),
    away: "غائب",
    seen: (ago) => `رُئي ${ago}`,
    troubles: {
      refused: "رُفض الاتصال",
      "timed-out": "انتهت المهلة",
      "no-route": "لا طريق إلى هناك",
      lost: "انقطع الاتصال",
      "no-tls": "ليس CryptoChat",
      "too-old": "قديم جدًّا",
      "wrong-key": "مفتاح آخر",
      "no-such-name": "لا اسم كهذا",
      itself: "هذا الحاسوب نفسه",
      undecided: "لم يتحقّق منك بعد",
    },
    status: { verified: "مُتحقَّق منه", unverified: "لم يُتحقَّق منه", rejected: "مرفوض", changed: "تغيّر المفتاح" },
    refuse: "ارفض هذا المفتاح",
    verify: "تحقّق …",
    reasons: {
      queued: "كتبتَ لهم شيئًا. وهو ينتظر حتّى تتحقّق منهم.",
      knocked: "حاولوا الوصول إليك. ما يرسلونه ينتظر حتّى تتحقّق منهم.",
      asked: "أردتَ أن تتحقّق منهم.",
      other: "ينتظرون جوابك.",
    },
    open: (name) => `عن ${own(name)}`,
  },

  code: {
    title: "أعطهم رمز اتصالك",
    use: "أعط هذا لشخص بطريقة تثق بها: ورقة أو هاتف أو برنامج مراسلة آخر. من يملكه يستطيع أن يجدك ويتحقّق منك؛ وهو ليس سرًّا، لكنّ من يستبدله في الطريق يستطيع أن ينتحل شخصيّتك.",
    qr: "رمز QR لرمز اتصالك",
    copy: "انسخ الرمز",
    more: "كرابط؛ وعناوينك",
    link: "يُفتح في CryptoChat عندهم، إن كان يعمل على منفذه المعتاد:",
    copyLink: "انسخ الرابط",
    addresses: "بهذا الرمز يُبحث عنك عند:",
    noAddress: "ليس لهذا الحاسوب عنوان يمكن للآخرين بلوغه الآن: بالرمز يُتحقَّق منك، لكنّه لا يقود إلى مكان.",
  },

  add: {
    title: "أضف أحدًا",
    theirs: "أدخل ما أعطوك",
    field: "رمز اتصالهم أو رابطهم أو عنوان",
    placeholder: "cryptochat:… أو 192.168.1.5:4242",
    willVerify: "بهذا تتحقّق من صاحب الرمز: ما تكتبه في الغرف المشتركة بينكما يصله، وما يكتبه يصلك. وعليه أن يضيفك هو أيضًا.",
    willLook: "لا يتحقّق العنوان من هويّة أحد: من يجيب هناك يوضع في قائمة الأشخاص غير مُتحقَّق منه.",
    byLink: "جاء بهذا الرمز رابط، ويستطيع أيّ أحد أن يصنع رابطًا كهذا. لا تتابع إلّا إن كنت تعرف من أعطاك إيّاه: وجهًا لوجه أو على ورقة أو بالهاتف أو ببرنامج مراسلة تثق به. إن جاء من صفحة على الوب، أو لم تعرف لماذا هو هنا، فأغلق هذا.",
    kept: "رمز الاتصال الذي في الرابط محفوظ، ويظهر حالما تتّصل هذه الصفحة.",
    add: "أضف",
    verify: "تحقّق وأضف",
    look: "انظر هناك",
    typeFirst: "ألصق أوّلًا رمز اتصال أو رابطًا أو عنوانًا.",
    refused: (code, isAddress) =>
      ({
        malformed: isAddress
          ? "ليس هذا عنوانًا يمكن النظر عنده. صيغته host:port، مثل 192.168.1.5:4242."
          : "ليس هذا رمز اتصال. يبدأ الرمز بـ cryptochat: وهو طويل؛ وصيغة العنوان host:port.",
        "damaged-code": "حرف من هذا الرمز خطأ أو ناقص. انسخه كلّه مرّة أخرى أو امسحه بالكاميرا.",
        "newer-code": "صنع هذا الرمز CryptoChat أحدث. حدّث برنامجك، أو قارنا رقم الأمان.",
        "own-code": "هذا رمزك أنت. هو للآخرين: اطلب منهم رمزهم.",
        "too-many-contacts": "تبحث عن 64 شخصًا بالفعل. أزل بعضهم أوّلًا.",
      })[code],
  },

  contacts: {
    title: "أضفتهم أنت",
    looking: (where, why, byCode) => {
      const place = where ? ` عند ${own(where)}` : "";
      const verifies = byCode ? " يُتحقَّق منهم حين يُعثر عليهم." : "";
      return why ? `يجري البحث عنهم${place}: ${why}. تُعاد المحاولة تلقائيًّا.${verifies}` : `يجري البحث عنهم${place} …${verifies}`;
    },
    reasons: REASONS,
    byCode: "عُثر عليه. تُحقِّق منه بالرمز.",
    foundByCode: "عُثر عليه، لكنّ هذا المفتاح غير مُتحقَّق منه: انظر بطاقته.",
    foundByAddress: "عُثر عليه. وهو الآن في قائمة الأشخاص؛ ولا يُتحقَّق من أحد بعنوان.",
    show: "اعرض",
    read: "حسنًا",
    remove: "أزل",
    removeNamed: (who) => `أزل ${own(who)}`,
    addedAt: (where) => (where ? `أضفته أنت، ويُبحث عنه عند ${own(where)}.` : "أضفته أنت."),
    removeAddress: "لا تبحث هناك",
  },

  doctor: {
    open: "ألا ترى أحدًا؟",
    title: "ألا ترى أحدًا؟",
    again: "افحص مرّة أخرى",
    checking: "يجري الفحص …",
    copy: "انسخ التقرير",
    summary: (problems, notices) => {
      if (problems + notices === 0) return "لا شيء يعيق على هذا الحاسوب، بقدر ما يُعرف من هنا. فإن بقي أحد لا تراه فشغّل هذا الفحص على حاسوبه أيضًا، أو أضيفا أحدكما الآخر برمز.";
      const parts = [];
      if (problems) parts.push(count(problems, { one: "مشكلة واحدة", two: "مشكلتان", few: "# مشكلات", many: "# مشكلة", other: "# مشكلة" }));
      if (notices) parts.push(count(notices, { one: "ملاحظة واحدة", two: "ملاحظتان", few: "# ملاحظات", many: "# ملاحظة", other: "# ملاحظة" }));
      return `وُجد: ${parts.join("، ")}.`;
    },
    levels: { problem: "مشكلة", notice: "للعلم", good: "جيّد" },
    visible: "ما تراه الشبكة منك",
    findings: {
      "cannot-tell": () => ["تعذّر فحص شيء ما.", "أعد تشغيل CryptoChat؛ ويقول سجلّه ما الذي فشل."],
      "no-network": () => ["لا شبكة لهذا الحاسوب.", "أوصل كبلًا أو انضمّ إلى شبكة لاسلكيّة: يلاحظ CryptoChat ذلك خلال 10 ثوانٍ."],
      "discovery-ended": () => ["الجزء الذي يجد الناس على هذه الشبكة لا يجيب.", "أعد تشغيل CryptoChat؛ وحتّى ذلك الحين تبادلوا رموز الاتصال."],
      "loopback-only": () => ["لا يستعمل CryptoChat إلّا داخل هذا الحاسوب: لا يراه حاسوب آخر.", "إن لم تكن تريد هذا فشغّله من دون ‎--interface lo‎."],
      "no-router": () => ["لم يعطِ أيّ موجّه هذا الحاسوب عنوانًا: لا يبلغ إلّا ما على كبله أو شبكته اللاسلكيّة.", "إن كان ينبغي أن يكون هناك موجّه فافحص الكبل أو انضمّ إلى الشبكة اللاسلكيّة من جديد."],
      "ipv6-only": () => ["ليس لهذا الحاسوب إلّا عناوين IPv6: لا تبلغه حواسيب ليس لها إلّا IPv4.", "إن غاب أحد ليس له إلّا IPv4 فليوزّع الموجّه عناوين IPv4 أيضًا."],
      "no-cable": (values) => [`لا شيء موصول${at(values)}.`, "أوصل كبله أو انضمّ إلى شبكته اللاسلكيّة إن كان ينبغي استعماله."],
      "not-open": (values) => [`لا يمكن إيجاد الناس ولا إعلامهم بك${at(values)}.`, "يعيد CryptoChat المحاولة كلّ 5 ثوانٍ؛ فإن طال ذلك فتبادلوا رموز الاتصال."],
      "sending-blocked": (values) => [`جدار ناري على هذا الحاسوب لا يُخرج شيئًا${at(values)}.`, FIREWALL],
      "sending-fails": (values) => [`لا يمكن إرسال شيء${at(values)}.`, "افحص هذه الواجهة ومساراتها؛ وحتّى تعمل تبادلوا رموز الاتصال."],
      "nothing-returns": (values) => [`ما يقوله هذا الحاسوب للجميع${at(values)} لا يعود حتّى إليه.`, FIREWALL],
      announced: (values) => [`أنت معلَن عنك${at(values)}.`, null],
      "others-heard": (values) => [`تُسمع حواسيب أخرى${at(values)}.`, null],
      "multicast-filtered": (values, names) => [`أنت و${they(names)} يبلغ كلّ منكم الآخر، لكنّ mDNS لا يصل: البثّ المتعدّد مرشَّح.`, USE_CODES],
      "they-are-not-heard": (values, names) => [`تبلغ ${they(names)} ولا تسمع إعلانهم: البثّ المتعدّد مرشَّح في اتّجاه واحد.`, USE_CODES],
      "you-are-not-heard": (values, names) => [`إعلانك لا يسمعه ${they(names)}: البثّ المتعدّد مرشَّح في اتّجاه واحد.`, USE_CODES],
      "can-be-reached": () => ["يستطيع الآخرون الوصول إلى هذا الحاسوب.", null],
      "shut-off": (values) => ["لا يستطيع أحد الوصول إلى هذا الحاسوب: جدار ناري عليه.", `اسمح في الجدار الناري باتصالات TCP الواردة إلى المنفذ ${values.port}.`],
      "shut-off-for-some": (values) => ["لا يستطيع بعضهم الوصول إلى هذا الحاسوب.", `اسمح في الجدار الناري باتصالات TCP الواردة إلى المنفذ ${values.port}.`],
      "they-fail": (values, names) => [`لم يستطع ${they(names)} الاتصال بهذا الحاسوب: ${REASONS[values.reason] ?? values.reason}.`, "لعلّ عندهم عنوانًا قديمًا لك: أعطهم رمز اتصالك من جديد."],
      "peer-refused": peer("لا يستمع أحد هناك", "اسأل هل ما زال CryptoChat يعمل هناك، وليعيدوا تشغيله."),
      "peer-timed-out": peer("لا يعود شيء", "ليسمح الجدار الناري لذلك الحاسوب بالوصول إلى CryptoChat؛ وكثيرًا ما تفصل شبكات الضيوف الحواسيب بعضها عن بعض، وعندئذ لا تنفع إلّا شبكة أخرى."),
      "peer-no-route": peer("لا يعرف هذا الحاسوب طريقًا إلى هناك", "تأكّد أنّكما على الشبكة نفسها، أو أنّ الشبكة الافتراضيّة بينكما تعمل."),
      "peer-lost": peer("ينقطع الاتصال", "حاول مرّة أخرى؛ فإن بقي كذلك فثمّة ما ينهي الاتصالات بين الحاسوبين."),
      "peer-no-tls": peer("يجيب هناك برنامج آخر غير CryptoChat", "ليعيدوا تشغيل CryptoChat ويخبروك بعنوانهم أو رمز اتصالهم."),
      "peer-too-old": peer("لا يتكلّم إلّا إصدارات TLS القديمة", "ليحدّثوا CryptoChat وPython: يلزم TLS 1.3."),
      "peer-wrong-key": peer("يجيب هناك شخص بمفتاح آخر", "اسألهم هل لهم هويّة جديدة؛ فإن لم تكن فلعلّ أحدًا ينتحل شخصيّتهم."),
      "peer-no-such-name": peer("لا حاسوب بهذا الاسم", "تأكّد من كتابة الاسم، أو استعمل العنوان بدلًا منه."),
      "peer-itself": peer("هذا الحاسوب نفسه هو الذي يجيب هناك", "أزل ذلك العنوان، واطلب منهم عنوانهم."),
      "peer-undecided": peer("هم هناك، ولم يتحقّق كلّ منكما من الآخر بعد", "اطلب منهم أن يتحقّقوا منك في قائمة الأشخاص، أو أن يدخلوا رمز اتصالك."),
      reachable: (values, names) => [`يمكن الوصول إلى ${they(names)}.`, null],
      "announced-only": (values, names) => [`${they(names)} معلَن عنهم، ولم تتّصلوا منذ مدّة.`, "انتظر قليلًا، أو اكتب لهم شيئًا."],
      "nobody-here": () => ["لا أحد غيرك معلَن عنه، وتُسمع حواسيب أخرى.", "شغّل CryptoChat على حاسوب آخر في هذه الشبكة."],
      "nobody-heard": () => ["لا أحد غيرك معلَن عنه، ولا يُسمع شيء من حواسيب أخرى.", "شغّل CryptoChat على حاسوب آخر في هذه الشبكة؛ فإن كان يعمل هناك فأضيفوا بعضكم برموز الاتصال."],
      "clock-impossible": (values) => [`تقول ساعة هذا الحاسوب إنّنا في سنة ${values.year}.`, "اضبط ساعة هذا الحاسوب."],
      "clock-differs": () => ["تختلف ساعة هذا الحاسوب عن ساعات الآخرين بأكثر من دقيقة.", "اضبط ساعة هذا الحاسوب."],
      "copied-identity": () => ["تعمل نسخة من هويّتك على حاسوب آخر أيضًا.", "أوقف أحدهما واحذف قاعدة بياناته؛ وإن لم تصنع نسخة فإنّ أحدًا يملك مفتاحك."],
    },
  },

  person: {
    number: "رقم الأمان بينكما",
    numberAbout: "هو نفسه على الشاشتين إن لم يكن أحد بينكما. اقرأ لهم مجموعات منه حين يطلبون.",
    noKey: "لم نرَ مفتاح هذا الشخص بعد.",
    noKeyAway: "لم نرَ مفتاح هذا الشخص بعد، وهو غائب الآن.",
    look: "انظر مرّة أخرى",
    verified: "قارنتَ المفاتيح مع هذا الشخص. تمرّ الرسائل في الاتّجاهين حالما يتحقّق هو منك أيضًا.",
    verifiedByCode: "تحقّقتَ من هذا الشخص برمز اتصاله. تمرّ الرسائل في الاتّجاهين حالما يتحقّق هو منك أيضًا.",
    rejected: "رفضتَ هذا المفتاح: لا يُرسل إليه شيء ولا يُستقبل منه شيء.",
    unverify: "كفّ عن الوثوق",
    unverifySure: "أتكفّ عن الوثوق بهذا الشخص؟ لا يُرسل شيء ولا يُستقبل حتّى تتحقّق منه من جديد.",
    reject: "ارفض هذا المفتاح",
    rejectSure: "أترفض هذا المفتاح؟ لا يُرسل إليه شيء ولا يُستقبل منه شيء.",
    forget: "انسَ هذا الشخص",
    forgetSure: "أننسى هذا المفتاح وما قرّرته بشأنه؟ الرسائل تبقى.",
    details: "البصمات و UUID",
    uuid: "UUID",
    sha256: "بصمة SHA-256",
    sha1: "بصمة SHA-1، لمن ليس عنده سواها",
    unknown: "لم تُعرف بعد",
  },

  verification: {
    title: (name) => `أهذا حقًّا ${own(name)}؟`,
    ask: (name) => `أو اطلب من ${own(name)}، وجهًا لوجه أو بالهاتف، أن يقرأ لك مجموعتين من رقم الأمان الذي تحت اسمك على شاشته:`,
    group: (position) => `المجموعة ${position}`,
    compare: "تحقّق من المجموعتين",
    incomplete: "اكتب خمسة أرقام في كلّ من الحقلين.",
    differs: "ليست هاتان المجموعتين اللتين على هذه الشاشة. اطلبهما مرّة أخرى. فإن بقي الاختلاف فلعلّ أحدًا بينكما: لا تثق بهذا المفتاح.",
    otherGroups: "اطلب مجموعتين أخريين",
    willSend: (number) => `حين تتحقّق منهم تُرسل ${count(number, { one: "رسالة واحدة منتظرة", two: "رسالتان منتظرتان", few: "# رسائل منتظرة", many: "# رسالة منتظرة", other: "# رسالة منتظرة" })}.`,
    reading: "يطلبون منك أن تقرأ مجموعات أيضًا؟",
    readingAbout: "المجموعتان اللتان تطلبهما مغطّاتان، حتّى تأتيا منهم لا من هذه الشاشة.",
    uncover: "أظهر كلّ المجموعات",
    covered: "مغطّاة",
    other: "طريقة أخرى للمقارنة",
    otherAbout: "فقط إن قارنتَ الرقم كلّه، أو البصمة أدناه، بطريقة لا يستطيع أحد غيركما تغييرها.",
    otherYes: "قارنتُ كلّ شيء: هو نفسه",
  },

  comparison: {
    label: "مقارنة مباشرة",
    about: "أنتما كلاكما أمام شاشتيكما الآن، جنبًا إلى جنب أو على الهاتف؟ إذن اضغطا كلاكما «قارن الآن».",
    stillToVerify: (name) => `أما زال على ${own(name)} أن يتحقّق منك؟ إذن اضغطا كلاكما «قارن الآن» على شاشتيكما.`,
    now: "قارن الآن",
    asked: (name) => `ضغط ${own(name)} «قارن الآن» وينتظرك.`,
    askedInList: "ضغطوا «قارن الآن» وينتظرون أن تضغطها أنت أيضًا. لا تفعل إلّا وأنت معهم أو على الهاتف.",
    askedAbout: "اضغطها أنت أيضًا إن كنت معهم أو على الهاتف.",
    waiting: (name) => `على ${own(name)} الآن أن يضغط «قارن الآن» أيضًا على شاشته.`,
    left: (minutes, seconds) => `بقي ${minutes}:${seconds}`,
    shown: (name) => `هل تُظهر شاشة ${own(name)} هذا بالضبط: الرقم والصورة؟`,
    shownAbout: "أحدكما يقرأ والآخر ينظر.",
    number: (digits) => `الرقم: ${[...digits.replaceAll(" ", "،")].join(" ")}`,
    picture: "الصورة",
    part: ({ shape, colour }) => `${SHAPES[shape] ?? shape} ${COLOURS[colour] ?? colour}`,
    same: "متطابق",
    different: "مختلف",
    done: "تمّت المقارنة: أظهرت الشاشتان الشيء نفسه.",
    differs: "تُظهر الشاشتان شيئين مختلفين. وما لم يكن أحدكما قد أخطأ القراءة فليس ذلك مصادفة: لعلّ أحدًا بينكما يستطيع قراءة ما تكتبان.",
    differsAdvice: "لا تثق بهذا المفتاح. قارنا رقم الأمان حين تلتقيان، أو ارفض هذا المفتاح.",
    differsVerified: "كفّ عن الوثوق بهذا المفتاح، وقارنا رقم الأمان حين تلتقيان.",
    failed: (reason) => `لا نتيجة: ${reason}.`,
    again: "حاول مرّة أخرى",
  },

  conflict: {
    title: (name) => `مفتاح آخر يدّعي أنّه ${own(name)}`,
    meaning: "ظهر على هذه الشبكة تحت المعرّف نفسه. لم يتغيّر شيء للمفتاح الذي تحقّقتَ منه: ما زالت الرسائل تذهب إليه وحده. إمّا أنّ أحدًا ينتحل شخصيّته، وإمّا أنّه أعدّ CryptoChat من جديد.",
    advice: "اسأله وجهًا لوجه أو بالهاتف. وما لم يقل لك إنّ له مفتاحًا جديدًا فارفضه.",
    refuse: "ارفض المفتاح الآخر",
    trust: "هو مفتاحه: ثق بالمفتاح الآخر بدلًا منه",
    trustSure: "هل قارنتَ هذه البصمة بالتي على شاشته؟",
    trustYes: "نعم، هي نفسها",
    fingerprint: "بصمة SHA-256 للمفتاح الآخر",
    seen: (address, time) => `رُئي عند ${address ? own(address) : "عنوان مجهول"}، ${time}.`,
    changed: (name) => `مفتاحان يدّعيان أنّهما ${own(name)}`,
    changedMeaning: "لم تتحقّق من أيّ منهما، فلا يُرسل شيء إلى أيّ منهما. وقد يكون أحدهما لمن ينتحل شخصيّته.",
    changedAdvice: "قارن رقم الأمان مع الشخص الحقيقي: مفتاحه وحده يعطي الرقم الذي على شاشته. فإن اختلفت المجموعات فارفض هذا المفتاح: عندئذ يظهر الآخر للمقارنة.",
  },

  problems: {
    lost: "برنامج CryptoChat لا يجيب.",
    unknown: "لم ينجح ذلك.",
    status: (status) => `رفض CryptoChat هذا (${status}).`,
    codes: {
      malformed: "ليس هذا بصيغة يفهمها CryptoChat.",
      "damaged-code": "حرف من هذا الرمز خطأ أو ناقص.",
      "newer-code": "صنع هذا الرمز CryptoChat أحدث.",
      unauthorized: "تحتاج هذه الصفحة إلى رابط التشغيل الجديد.",
      forbidden: "هذا غير مسموح من هنا.",
      "not-found": "لا شيء عند هذا العنوان.",
      "unknown-user": "لم يُرَ شخص كهذا.",
      "unknown-contact": "لم يُضف شخص كهذا.",
      "method-not-allowed": "لا يُفعل هذا هنا.",
      conflict: "لا يناسب هذا ما هو قائم الآن.",
      "not-joined": "انضمّ إلى الغرفة قبل أن ترسل إليها.",
      "fingerprint-differs": "ليست هذه البصمة المحفوظة: لا تثق بها.",
      "no-single-certificate": "ليس لهذا الشخص مفتاح واحد معروف.",
      "too-many-rooms": "أنت في أكثر ما يمكن من الغرف: غادر واحدة أوّلًا.",
      "too-many-contacts": "أضفت أكثر ما يمكن من الأشخاص: أزل بعضهم أوّلًا.",
      "own-code": "هذا رمزك أنت.",
      "length-required": "الطلب ناقص.",
      "too-large": "هذا أكبر ممّا يمكن إرساله.",
      "unsupported-media-type": "ليس هذا بصيغة يفهمها CryptoChat.",
      misdirected: "هذا العنوان ليس لهذا البرنامج.",
      "too-many-requests": "هذا كثير دفعة واحدة: انتظر لحظة.",
      "head-too-large": "الطلب أكبر ممّا يقبل.",
      internal: "خطأ في CryptoChat نفسه؛ وفي سجلّه التفاصيل.",
      "storage-failed": "تعذّرت القراءة من القرص أو الكتابة عليه؛ ويقول السجلّ لماذا.",
      ending: "CryptoChat في طريقه إلى الإغلاق: لم يُحفظ شيء بعد.",
      "storage-full": "القرص يكاد يمتلئ: لم يُحفظ شيء. أفرغ مكانًا وحاول من جديد.",
    },
    dots: "لا يستطيع متصفّح أن يفتح غرفة بهذا الاسم.",
  },
};
