/** The live feed: server-sent events, taken up again where they broke off. */
import { Refused, type Problem } from "./problems.js";
import type { components } from "./schema.js";
import { pause } from "./steady.js";

type Event = components["schemas"]["Event"];

const SILENCE = 45_000; // milliseconds: the store sends a comment every 15 seconds

/** Where a follower is: what to keep, and to go on from, also in another process. */
export interface Place {
  readonly cursor: string;
  /** Which log that is in: of another one, such as an older backup, nothing is taken. */
  readonly log: string;
}

export interface Followed extends Place {
  readonly event: Event;
}

/** Events after a place (undefined: from the beginning), each once. Throws Refused for good ones. */
export async function* follow(
  url: string,
  headers: Record<string, string>,
  place?: Place,
  signal?: AbortSignal,
): AsyncGenerator<Followed> {
  let failures = 0;
  while (!signal?.aborted) {
    const connection = new AbortController();
    const stop = () => connection.abort();
    signal?.addEventListener("abort", stop);
    let answer: Response | undefined;
    try {
      const asked = new URL(url);
      asked.searchParams.set("after", place?.cursor ?? "0-0");
      if (place) asked.searchParams.set("log", place.log);
      answer = await withinSilence(connection, () =>
        fetch(asked, {
          headers: { ...headers, Accept: "text/event-stream" },
          signal: connection.signal,
        }),
      );
      if (answer.ok && answer.body) {
        const log = answer.headers.get("Log-Id") ?? "";
        for await (const message of messages(answer.body, connection)) {
          failures = 0;
          place = { cursor: message.id, log };
          yield { ...place, event: JSON.parse(message.data) as Event };
        }
      } else if (answer.status < 500 && answer.status !== 429) {
        throw new Refused((await answer.json()) as Problem);
      }
    } catch (error) {
      if (error instanceof Refused) throw error; // all else is a connection that broke
    } finally {
      connection.abort(); // also where the caller leaves its loop
      signal?.removeEventListener("abort", stop);
    }
    failures += 1;
    if (!signal?.aborted) await pause(failures, answer, signal);
  }
}

/** The events of a stream. One whose end did not arrive is none: it comes again. */
async function* messages(body: ReadableStream<Uint8Array>, connection: AbortController) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const { done, value } = await withinSilence(connection, () => reader.read());
    if (done) return;
    const blocks = (text + decoder.decode(value, { stream: true })).split("\n\n");
    text = blocks.pop() ?? "";
    for (const block of blocks) {
      const id = field(block, "id");
      const data = field(block, "data");
      if (id && data) yield { id, data };
    }
  }
}

/** The value of a field of server-sent events, undefined where the block has none. */
function field(block: string, name: string): string | undefined {
  const line = block.split("\n").find((each) => each.startsWith(`${name}: `));
  return line?.slice(name.length + 2);
}

/** What a function gives, unless the connection is silent for too long: then it is given up. */
async function withinSilence<Result>(connection: AbortController, read: () => Promise<Result>) {
  const timer = setTimeout(() => connection.abort(), SILENCE);
  try {
    return await read();
  } finally {
    clearTimeout(timer);
  }
}
