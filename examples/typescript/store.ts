/** A client of the store's items. All its types are made from the store's OpenAPI document. */
import createClient, { type Client } from "openapi-fetch";
import { follow, type Followed, type Place } from "./follow.js";
import { Refused, type Problem } from "./problems.js";
import type { components, paths } from "./schema.js";
import { steadyFetch } from "./steady.js";

export type Item = components["schemas"]["Item"];
export type Event = components["schemas"]["Event"];
export type Listed = components["schemas"]["ItemPage"]["items"][number];

/** An item as it is at a version. */
export interface Versioned {
  readonly item: Item;
  readonly version: number;
}

/** What an item has to be for a write to happen: at this version, absent, or present. */
export type Condition = number | "absent" | "present";

const ROUNDS = 20;
const PAGE = 100;

export class Store {
  readonly #client: Client<paths>;
  readonly #headers: Record<string, string>;

  /** `token` is needed as soon as the store has one. */
  constructor(
    readonly url: string,
    token?: string,
  ) {
    this.#headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
    this.#client = createClient<paths>({ baseUrl: url, headers: this.#headers, fetch: steadyFetch });
  }

  /** The item, or undefined where there is none. */
  async get(id: string): Promise<Versioned | undefined> {
    const { data, error, response } = await this.#client.GET("/items/{id}", { params: { path: { id } } });
    if (response.status === 404) return undefined;
    return { item: answered(data, error), version: versionOf(response) };
  }

  /** Stores the whole item. `created` is whether there was none. */
  async put(id: string, item: Item, condition?: Condition): Promise<Versioned & { created: boolean }> {
    const { data, error, response } = await this.#client.PUT("/items/{id}", {
      params: { path: { id }, header: headersOf(condition) },
      body: item,
    });
    return { item: answered(data, error), version: versionOf(response), created: response.status === 201 };
  }

  /** Changes some members of the item: null takes one away (RFC 7396). */
  async patch(id: string, change: Partial<Item>, condition?: Condition): Promise<Versioned> {
    const { data, error, response } = await this.#client.PATCH("/items/{id}", {
      params: { path: { id }, header: headersOf(condition) },
      headers: { "Content-Type": "application/merge-patch+json" },
      body: change,
    });
    return { item: answered(data, error), version: versionOf(response) };
  }

  /** Deletes the item. Its history stays. */
  async delete(id: string, condition?: Condition): Promise<void> {
    const { error } = await this.#client.DELETE("/items/{id}", {
      params: { path: { id }, header: headersOf(condition) },
    });
    if (error !== undefined) throw new Refused(error);
  }

  /**
   * Stores what a function makes of the item, and asks it again where another writer came between.
   *
   * It may be called several times, so it should do nothing else. It gets undefined for no item.
   */
  async update(id: string, change: (item: Item | undefined) => Item): Promise<Versioned> {
    for (let round = 1; ; round += 1) {
      const before = await this.get(id);
      try {
        return await this.put(id, change(before?.item), before?.version ?? "absent");
      } catch (error) {
        if (!(error instanceof Refused && error.status === 412) || round === ROUNDS) throw error;
      }
    }
  }

  /** All items in the order of their ids, page after page. */
  async *items(prefix = ""): AsyncGenerator<Listed> {
    let after: string | undefined;
    do {
      const query = { limit: PAGE, ...(prefix && { prefix }), ...(after && { after }) };
      const { data, error } = await this.#client.GET("/items", { params: { query } });
      const page = answered(data, error);
      yield* page.items;
      after = page.next ?? undefined;
    } while (after !== undefined);
  }

  /** What happened to an item, oldest first. */
  async *history(id: string): AsyncGenerator<Event> {
    let after: string | undefined;
    for (;;) {
      const { data, error, response } = await this.#client.GET("/items/{id}/events", {
        params: { path: { id }, query: { limit: PAGE, ...(after && { after }) } },
      });
      const events = answered(data, error);
      yield* events;
      after = events.at(-1)?.id;
      if (!response.headers.get("Link")?.includes('rel="next"')) return;
    }
  }

  /** Every event of the items after a place, and then as they come, each once, until `signal`. */
  follow(place?: Place, signal?: AbortSignal): AsyncGenerator<Followed> {
    return follow(`${this.url}/events?source=/items`, this.#headers, place, signal);
  }
}

/** The body of an answer. Throws Refused where it is a problem. */
function answered<Body>(data: Body | undefined, problem: Problem | undefined): Body {
  if (data === undefined) throw problem ? new Refused(problem) : new Error("The answer has no body.");
  return data;
}

/** The version is what the ETag says, in quotes. */
function versionOf(response: Response): number {
  return Number(response.headers.get("ETag")?.replaceAll('"', ""));
}

/** Conditions are headers: the store looks at them in the very step that writes. */
function headersOf(condition: Condition | undefined): { "If-Match"?: string; "If-None-Match"?: string } {
  if (condition === undefined) return {};
  if (condition === "absent") return { "If-None-Match": "*" };
  return { "If-Match": condition === "present" ? "*" : `"${condition}"` };
}
