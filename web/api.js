/* What the page asks of the program: one function for each request, and one kind of error.
 *
 * A path is made only here, so that a room called "a/b?c" cannot become another request. Every
 * request carries the token in a header, never in the address, where it would be logged.
 */
import * as session from "./session.js";
import { words } from "./words.js";

/** A refusal: `status` (0: nobody answered), `code` for programs, `message` for people. */
export class ApiError extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export const exchangeCode = async (code) => (await request("POST", "/api/session", { code })).token;

export const info = () => request("GET", "/api/info");
export const rename = (username) => request("PUT", "/api/info", { username });

export const users = async () => (await request("GET", "/api/users")).users;
export const look = (uuid) => request("POST", `${userPath(uuid)}/look`);
export const forget = (uuid) => request("DELETE", `${userPath(uuid)}`);
export const verify = (uuid, fingerprint_sha256, method) =>
  request("POST", `${userPath(uuid)}/verify`, { fingerprint_sha256, method });
export const withdraw = (uuid, fingerprint_sha256) =>
  request("DELETE", `${userPath(uuid)}/verify`, fingerprint_sha256 && { fingerprint_sha256 });
export const compareNow = (uuid, fingerprint_sha256) => request("POST", `${userPath(uuid)}/comparison`, { fingerprint_sha256 });
export const endComparison = (uuid) => request("DELETE", `${userPath(uuid)}/comparison`);

/** Our contact code: `{code, link, addresses, qr}`. */
export const code = () => request("GET", "/api/code");
export const contacts = async () => (await request("GET", "/api/contacts")).contacts;
/** `given`: `{code}` or `{address}`. */
export const addContact = (given) => request("POST", "/api/contacts", given);
export const removeContact = (id) => request("DELETE", `/api/contacts/${encodeURIComponent(id)}`);

export const doctor = () => request("GET", "/api/doctor");

export const rooms = async () => (await request("GET", "/api/rooms")).rooms;
export const join = (room) => request("POST", roomPath(room));
export const leave = (room) => request("DELETE", roomPath(room));
export const send = (room, content) => request("POST", `${roomPath(room)}/message`, { content });
export const sendDrawing = (room, drawing, content) => request("POST", `${roomPath(room)}/message`, { content, kind: "drawing", drawing });

/** How far each room is read. */
export const reads = async () => (await request("GET", "/api/read")).rooms;
export const readTo = (room, id) => request("PUT", `${roomPath(room)}/read`, { id });

/** Messages with all the words of `q`, newest first; `where`: `{room, before, limit}`. */
export const search = async (q, where) => (await request("GET", `/api/search?${new URLSearchParams({ q, ...where })}`)).messages;

/** A page of history, oldest first: the newest, or `{before}`, `{after}` or `{around}` a message; of one `{kind}`. */
export async function messages(room, which) {
  const query = new URLSearchParams(which);
  return (await request("GET", `${roomPath(room)}/messages?${query}`)).messages;
}

/** The event stream's response; `lastId` is the last event that was seen, or null. */
export async function openEvents(token, lastId, signal) {
  const headers = { Accept: "text/event-stream", ...bearer(token) };
  if (lastId !== null) headers["Last-Event-ID"] = lastId;
  return answered(await reach("/api/events", { headers, signal }), token);
}

async function request(method, path, body) {
  const token = session.current();
  const headers = bearer(token);
  if (body) headers["Content-Type"] = "application/json";
  const response = await reach(path, { method, headers, body: body && JSON.stringify(body) });
  const text = await (await answered(response, token)).text();
  return text ? JSON.parse(text) : null;
}

async function reach(path, options) {
  try {
    return await fetch(path, { ...options, cache: "no-store", credentials: "omit", redirect: "error" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, "lost", words.problems.lost);
  }
}

async function answered(response, token) {
  if (response.ok) return response;
  if (response.status === 401 && token) session.refuse(token);
  const problem = await response.json().catch(() => ({}));
  const message = String(words.problems.codes[problem.code] ?? problem.message ?? words.problems.status(response.status));
  throw new ApiError(response.status, String(problem.code ?? ""), message);
}

function bearer(token) {
  return token ? { Authorization: `Bearer ${token}` } : {};
}

const userPath = (uuid) => `/api/users/${encodeURIComponent(uuid)}`;

/** The room's address. A browser takes "." and ".." out of every path, in whatever form. */
function roomPath(room) {
  if (room === "." || room === "..") throw new ApiError(400, "malformed", words.problems.dots);
  return `/api/rooms/${encodeURIComponent(room.toWellFormed?.() ?? room)}`;
}
