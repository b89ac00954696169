/** Items as the API has them: looked at, and written under a condition. */

import { ask, itemPath } from "../http.js";

/**
 * An item as it is: `exists`, with `version`, `value` and `text` of its body, and `headers`; else
 * `isDeleted` where it once existed, with the `version` that deleted it. `event` is the last one of
 * the item as a CloudEvent without its data, or null where that could not be had.
 */
export async function itemNow(collection, id, signal) {
  const [found, event] = await Promise.all([
    current(collection, id, signal),
    lastEvent(collection, id, signal),
  ]);
  return { ...found, event: event?.itemversion === found.version ? event : null };
}

async function current(collection, id, signal) {
  try {
    const answer = await ask(itemPath(collection, id), { signal });
    const { value, text, headers } = answer;
    return { exists: true, isDeleted: false, version: versionOf(answer), value, text, headers };
  } catch (error) {
    if (error.kind === "item-not-found") return { exists: false, isDeleted: false, version: null };
    if (error.kind !== "item-deleted") throw error;
    return { exists: false, isDeleted: true, version: error.problem.version };
  }
}

/** The item's newest event: of what it says, all but the body is small. */
async function lastEvent(collection, id, signal) {
  try {
    const query = { order: "desc", limit: 1 };
    const answer = await ask(itemPath(collection, id, "events"), { query, signal });
    const { data, ...event } = answer.plain[0];
    return event;
  } catch (error) {
    if (error.name === "AbortError") throw error;
    return null; // it only adds to what is shown
  }
}

/** When an item was first created, to the second, as RFC 3339; null where that can't be had. */
export async function firstCreated(collection, id, signal) {
  try {
    const path = itemPath(collection, id, "versions", "1");
    const answer = await ask(path, { method: "HEAD", signal });
    return withoutFraction(new Date(answer.field("Memento-Datetime")));
  } catch (error) {
    if (error.name === "AbortError") throw error;
    return null; // it only adds to what is shown
  }
}

/** A date of a header field, which has whole seconds, as RFC 3339. */
export function withoutFraction(date) {
  return date.toISOString().replace(".000Z", "Z");
}

/** The version that an answer is of. */
export function versionOf(answer) {
  return Number(/\d+/.exec(answer.field("ETag"))?.[0]);
}

/** Stores a body. `version` is the one that the item has to be at; null: it must not exist. */
export function putItem(collection, id, body, version) {
  return written("PUT", itemPath(collection, id), { headers: conditionOn(version), body });
}

/** Stores a body under an id that the store chooses. */
export function createItem(collection, body) {
  return written("POST", `/${collection}`, { body });
}

/** Deletes an item that is at this version. */
export function deleteItem(collection, id, version) {
  return written("DELETE", itemPath(collection, id), { headers: conditionOn(version) });
}

/**
 * Stores the body of an earlier version again. `newest` is the version that the item has to be at;
 * null: it must not exist, as a version of a deleted item has no tag to match.
 */
export function revertItem(collection, id, version, newest) {
  const body = JSON.stringify({ version });
  return written("POST", itemPath(collection, id, "revert"), { headers: conditionOn(newest), body });
}

function conditionOn(version) {
  return version === null ? { "If-None-Match": "*" } : { "If-Match": `"${version}"` };
}

let unanswered = { request: null, key: null };
const latest = new Map(); // the last event written here in each partition, by its number

/**
 * Sends a write. The same one again, after no answer came, has the same Idempotency-Key: it is
 * carried out once. Gives `id` and `version` of the item, and the event's `position` and `type`.
 */
async function written(method, path, { headers = {}, body }) {
  const request = JSON.stringify([method, path, headers, body]);
  if (unanswered.request !== request) unanswered = { request, key: newKey() };
  const key = `"${unanswered.key}"`;
  const answer = await ask(path, { method, headers: { ...headers, "Idempotency-Key": key }, body });
  unanswered = { request: null, key: null };
  const event = answer.field("Event-Id");
  latest.set(event.split("@")[1], event);
  const address = answer.field("Location") ?? path;
  const id = decodeURIComponent(address.split("?")[0].split("/").pop());
  return { id, version: versionOf(answer), position: event, type: answer.field("Event-Type") };
}

/** 128 random bits. `crypto.randomUUID` is not there without TLS but on loopback. */
function newKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}

/** What a list has to show that is asked for after what was written here; null for nothing. */
export function latestPosition() {
  return latest.size ? [...latest.values()].join() : null;
}
