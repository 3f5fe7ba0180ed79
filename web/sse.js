/* Server-sent events from text: a parser without a network, after the HTML standard, 9.2.6.
 *
 * `EventSource` would do this, but it cannot send the token's header. Text comes in pieces that are
 * cut anywhere, even between the CR and the LF of one line end.
 */
export class EventParser {
  #rest = "";
  #event = "";
  #data = [];
  #id = null;

  /** The events that `piece` completes: `{event, data, id}`, `id` being the last one named. */
  feed(piece) {
    const events = [];
    for (const line of this.#lines(piece)) {
      if (line !== "") this.#field(line);
      else if (this.#data.length > 0) events.push(this.#take());
      else this.#event = "";
    }
    return events;
  }

  #lines(piece) {
    this.#rest += piece;
    // A CR at the very end may be half of a CRLF: it stays until the next piece tells.
    const cut = /\r\n|\n|\r(?!$)/g;
    const lines = [];
    let from = 0;
    for (let end = cut.exec(this.#rest); end; end = cut.exec(this.#rest)) {
      lines.push(this.#rest.slice(from, end.index));
      from = cut.lastIndex;
    }
    this.#rest = this.#rest.slice(from);
    return lines;
  }

  #field(line) {
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "event") this.#event = value;
    else if (name === "data") this.#data.push(value);
    else if (name === "id" && !value.includes("\0")) this.#id = value;
  }

  #take() {
    const event = { event: this.#event || "message", data: this.#data.join("\n"), id: this.#id };
    this.#event = "";
    this.#data = [];
    return event;
  }
}
