/** Reads server-sent events (HTML standard §9.2) from pieces of text that may be cut anywhere. */

const END_OF_LINE = /\r\n|\n|\r/g;

/** Makes events and comments of a stream's text. */
export class ServerSentEvents {
  #rest = "";
  #wasReturn = false;
  #fields = { type: "", data: [] };
  #id = "";

  /** What the next piece of text completes: `{id, type, data}` of events, `{comment}` of comments. */
  read(piece) {
    const found = [];
    const text = this.#rest + (this.#wasReturn && piece.startsWith("\n") ? piece.slice(1) : piece);
    if (piece) this.#wasReturn = piece.endsWith("\r");
    let begin = 0;
    END_OF_LINE.lastIndex = this.#rest.length;
    for (let end = END_OF_LINE.exec(text); end !== null; end = END_OF_LINE.exec(text)) {
      this.#line(text.slice(begin, end.index), found);
      begin = END_OF_LINE.lastIndex;
    }
    this.#rest = text.slice(begin);
    return found;
  }

  #line(line, found) {
    if (line === "") return this.#dispatch(found);
    const [, name, value] = /^([^:]*)(?::? ?)([^]*)$/.exec(line);
    if (name === "") found.push({ comment: value });
    else if (name === "event") this.#fields.type = value;
    else if (name === "data") this.#fields.data.push(value);
    else if (name === "id" && !value.includes("\0")) this.#id = value;
  }

  #dispatch(found) {
    const { type, data } = this.#fields;
    this.#fields = { type: "", data: [] };
    if (data.length) found.push({ id: this.#id, type: type || "message", data: data.join("\n") });
  }
}
