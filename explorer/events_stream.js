/**
 * The log, live: `GET /events` as server-sent events, which goes on by itself when it was cut.
 *
 * The browser's own EventSource can't send a token, and tells nobody why it was refused.
 */

import { answerOf, authorization, Refused, Unreachable, urlOf } from "./http.js";
import { ServerSentEvents } from "./server_sent_events.js";
import { setAccess } from "./session.js";

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;

/** What the store says where nothing happened. */
const STILL_HERE = "still here";

/** No comment came for so long, and one comes every 15 seconds: nobody is there any more. */
const SILENCE_MS = 40_000;

/** Statuses at which it makes no sense to try again: the store would say the same. */
const FINAL = new Set([400, 401, 403, 404, 406, 409, 410, 422]);

/**
 * Follows the log until `stop()` of what it gives is called.
 *
 * `query` is of `/events` (`source`, `type`, `item`, `since`), `after` the cursor to go on after,
 * `log` the Log-Id that it is of. `onEvents` gets a list of `{id, type, data}`, as they came: `id`
 * is the cursor after it, `data` the text of a CloudEvent. Each event comes once, whatever happens to the connection. A
 * tab that is hidden holds none, as a browser has six for all of its tabs; what happened meanwhile
 * comes when it is seen again.
 *
 * `onState` gets `{state, reason, error, retryAt}`. `state` is `connecting`, `live`; `gone`, with
 * `retryAt` in milliseconds since 1970, when it will be tried again; or `ended`, when it won't be,
 * with the `error`: `kind` of a Refused is `other-log` where another log took the place of this one,
 * and `gone` where events were removed. `reason` is a sentence.
 */
export function followEvents({ query = {}, after = null, log = null, onEvents, onState }) {
  const abort = new AbortController();
  const following = new Following({ query, after, log, onEvents, onState, signal: abort.signal });
  following.run();
  const now = () => following.tryNow();
  addEventListener("online", now);
  return {
    stop() {
      removeEventListener("online", now);
      abort.abort();
    },
    tryNow: now,
  };
}

class Following {
  #wait = FIRST_WAIT_MS;
  #farewell = null;
  #wake = () => {};

  constructor(given) {
    Object.assign(this, given);
  }

  tryNow() {
    this.#wake();
  }

  async run() {
    for (await this.#seen(); !this.signal.aborted; await this.#seen()) {
      this.onState({ state: "connecting" });
      try {
        await this.#readOn();
        if (!this.signal.aborted) await this.#pause(this.#farewell ?? "The connection was closed.");
      } catch (error) {
        if (this.signal.aborted) return;
        if (document.hidden) continue;
        if (error instanceof Refused && FINAL.has(error.status)) {
          if (error.status === 401) setAccess(null);
          return this.onState({ state: "ended", reason: error.message, error });
        }
        await this.#pause(this.#farewell ?? error.message);
      }
    }
  }

  /** Waits until the tab is one that somebody sees. */
  async #seen() {
    while (document.hidden && !this.signal.aborted) {
      await new Promise((resolve) => {
        document.addEventListener("visibilitychange", resolve, { once: true });
        this.signal.addEventListener("abort", resolve, { once: true });
      });
    }
  }

  /** One connection, from its begin to its end. */
  async #readOn() {
    this.#farewell = null;
    const cut = new AbortController();
    const hide = () => document.hidden && cut.abort();
    document.addEventListener("visibilitychange", hide);
    let timer = setTimeout(() => cut.abort(), SILENCE_MS);
    let isLive = false;
    try {
      const response = await this.#connected(AbortSignal.any([this.signal, cut.signal]));
      isLive = true;
      this.log = response.headers.get("Log-Id") ?? this.log;
      this.onState({ state: "live" });
      const events = new ServerSentEvents();
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
        clearTimeout(timer);
        timer = setTimeout(() => cut.abort(), SILENCE_MS);
        this.#take(events.read(piece.value));
      }
    } catch (error) {
      if (error instanceof Refused) throw error;
      throw isLive ? new Error("The connection was cut.") : new Unreachable();
    } finally {
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", hide);
    }
  }

  async #connected(signal) {
    const url = urlOf("/events");
    const { since, ...filters } = this.query;
    const begin = this.after === null ? { since } : { log: this.log };
    for (const [name, value] of Object.entries({ ...filters, ...begin })) {
      if (value != null && value !== "") url.searchParams.set(name, value);
    }
    const headers = { Accept: "text/event-stream", ...authorization() };
    if (this.after !== null) headers["Last-Event-ID"] = this.after;
    const response = await fetch(url, { headers, signal, cache: "no-store" });
    if (response.status >= 400) throw new Refused(await answerOf(response));
    return response;
  }

  #take(found) {
    const events = found.filter((each) => each.comment === undefined);
    for (const { comment } of found) {
      if (comment !== undefined && comment !== STILL_HERE) this.#farewell = sentence(comment);
    }
    if (this.#farewell === null && found.length) this.#wait = FIRST_WAIT_MS;
    if (!events.length || this.signal.aborted) return;
    this.after = events.at(-1).id;
    this.onEvents(events);
  }

  /** Waits longer each time, a little by chance, so that not all come back at once. */
  async #pause(reason) {
    const wait = this.#wait * (0.75 + Math.random() / 2);
    this.#wait = Math.min(LONGEST_WAIT_MS, this.#wait * 2);
    this.onState({ state: "gone", reason, retryAt: Date.now() + wait });
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, wait);
      this.#wake = resolve;
      this.signal.addEventListener("abort", resolve, { once: true });
      this.signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
    });
    this.#wake = () => {};
  }
}

/** What the store says when it ends a stream, as a sentence. */
function sentence(comment) {
  const said = comment.replace(/; resume with Last-Event-ID$/, "");
  return `The store ended the stream: ${said}.`;
}
