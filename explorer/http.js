/** Requests to the store, with the token. */

import { ROOT } from "./address.js";
import { noteAway } from "./connection.js";
import { parse } from "./json_text.js";
import { setAccess, token } from "./session.js";

/** An answer, read whole. */
export class Answer {
  constructor(response, text) {
    this.status = response.status;
    this.headers = response.headers;
    this.url = response.url;
    this.text = text;
  }
  /** The body with all its digits: see json_text.js. */
  get value() {
    return parse(this.text);
  }
  /** The body as JavaScript has it: for what the store itself says, in which no number is large. */
  get plain() {
    return JSON.parse(this.text);
  }
  /** A header field, or null. */
  field(name) {
    return this.headers.get(name);
  }
}

/** The store refused: `problem` is what it said (RFC 9457). */
export class Refused extends Error {
  constructor(answer) {
    const problem = problemOf(answer);
    super(problem.detail ?? problem.title);
    this.answer = answer;
    this.status = answer.status;
    this.problem = problem;
  }
  /** Such as `item-not-found`: the last part of the problem's type. */
  get kind() {
    return (this.problem.type ?? "").split("/").pop();
  }
}

function problemOf(answer) {
  try {
    return answer.plain;
  } catch {
    return { title: `The answer was ${answer.status}.`, status: answer.status };
  }
}

/** Nothing answered. */
export class Unreachable extends Error {
  constructor() {
    super("The store does not answer. Is it running?");
  }
}

/** An id that no item can have: a step of a path to every program on the way. */
class NoSuchId extends Error {
  title = "This is no id of an item";

  constructor(id) {
    super(`No item can have the id ${id}: in a path it is a step to another place.`);
  }
}

/** Whether an id would lead to another place than to an item. */
export function isStep(id) {
  return id === "." || id === "..";
}

/** The path of an item, or of what is below it: `itemPath("orders", "a/b", "versions")`. */
export function itemPath(collection, id, ...below) {
  if (isStep(id)) throw new NoSuchId(id);
  return ["", collection, encodeURIComponent(id), ...below].join("/");
}

/** The URL of a path of the API, such as `/items`: one of this store, whatever the path is. */
export function urlOf(path) {
  return new URL(`.${path}`, ROOT);
}

/** The header fields of every request: the token, where there is one. */
export function authorization() {
  const text = token();
  return text === null ? {} : { Authorization: `Bearer ${text}` };
}

/**
 * The answer to a request. `query` is an object of parameters, of which null and "" are left out.
 *
 * Throws Refused from 400 on, Unreachable, and what `signal` is aborted with.
 */
export async function ask(path, { method = "GET", query = {}, headers = {}, body, signal } = {}) {
  const url = urlOf(path);
  for (const [name, value] of Object.entries(query)) {
    if (value != null && value !== "") url.searchParams.set(name, value);
  }
  const sent = { Accept: "application/json", ...authorization(), ...headers };
  if (body !== undefined && !sent["Content-Type"]) sent["Content-Type"] = "application/json";
  const answer = await reached(new Request(url, { method, headers: sent, body, signal, cache: "no-store" }));
  const isOurs = sent.Authorization === authorization().Authorization;
  if (answer.status === 401 && isOurs) setAccess(null);
  if (answer.status >= 400) throw refused(answer);
  return answer;
}

/** The answer that a response is, when all of it has come. */
export async function answerOf(response) {
  return new Answer(response, await response.text());
}

function refused(answer) {
  const error = new Refused(answer);
  if (answer.status === 503) noteAway(error);
  return error;
}

async function reached(request) {
  try {
    return await answerOf(await fetch(request));
  } catch (error) {
    if (request.signal.aborted) throw error;
    const unreachable = new Unreachable();
    noteAway(unreachable);
    throw unreachable;
  }
}
