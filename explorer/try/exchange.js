/** One request to the store and its answer, as far as a browser tells of them. */

import { authorization, Unreachable, urlOf } from "../http.js";

export const METHODS = ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"];
const WITHOUT_BODY = new Set(["GET", "HEAD"]);

/** What a page may not set: the browser sends its own, or none. */
const FORBIDDEN =
  /^(accept-(charset|encoding)|connection|content-length|cookie2?|date|expect|host|keep-alive|origin|referer|te|trailer|transfer-encoding|upgrade|via|proxy-.*|sec-.*)$/i;
const NAME = /^[\w!#$%&'*+.^`|~-]+$/;

/** Answers that are read for as long as they come: only the end of such a one is kept. */
const STREAMED = /^(text\/event-stream|application\/jsonl)\b/;
const MOST_OF_STREAM = 100_000;
const SHOWN_EVERY_MS = 150;

/**
 * The request that was composed: `headers` as lines of `Name: value`. `{path, method, headers, body,
 * ignored, problem}`: `ignored` are fields that a browser doesn't let a page send, `problem` says
 * what can't be sent at all.
 */
export function composed({ method, path, headers, body }) {
  const lines = headers.split("\n").filter((line) => line.trim() !== "");
  const fields = lines.map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).trim(), line.slice(colon + 1).trim(), line];
  });
  const wrong = fields.find(([name]) => !NAME.test(name));
  const allowed = fields.filter(([name]) => !FORBIDDEN.test(name));
  const ignored = fields.filter(([name]) => FORBIDDEN.test(name)).map(([name]) => name);
  const request = {
    method,
    path,
    headers: Object.fromEntries(allowed.map(([name, value]) => [name, value])),
    ignored,
    problem: wrong ? `A header field is a name, a colon and a value; this is none: ${wrong[2]}` : null,
  };
  if (WITHOUT_BODY.has(method) || body === "") return request;
  return { ...request, body, headers: withMediaType(method, request.headers) };
}

function withMediaType(method, headers) {
  const isThere = Object.keys(headers).some((name) => name.toLowerCase() === "content-type");
  const mediaType = method === "PATCH" ? "application/merge-patch+json" : "application/json";
  return isThere ? headers : { ...headers, "Content-Type": mediaType };
}

/**
 * Sends it. `show(exchange)` is called as the answer comes, the last time with `isOver`: `{request,
 * status, statusText, headers, url, isRedirected, text, isStream, isCut, milliseconds, isOver,
 * error}`; `headers` is a list of pairs.
 */
export async function exchange(request, show, signal) {
  const begun = performance.now();
  let exchanged = { request, text: "", isOver: false, error: null };
  const tell = (more) => {
    exchanged = { ...exchanged, ...more, milliseconds: performance.now() - begun };
    show(exchanged);
  };
  tell({});
  try {
    const response = await answered(request, signal);
    const isStream = STREAMED.test(response.headers.get("Content-Type"));
    tell({ ...headOf(response), isStream });
    await readBody(response, isStream, tell);
    tell({ isOver: true });
  } catch (error) {
    tell({ isOver: true, error: signal.aborted ? null : error, isStopped: signal.aborted });
  }
}

async function answered({ method, path, headers, body }, signal) {
  const sent = { ...authorization(), ...headers };
  try {
    return await fetch(urlOf(path), { method, headers: sent, body, signal, cache: "no-store" });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new Unreachable();
  }
}

function headOf(response) {
  const { status, statusText, url, redirected: isRedirected } = response;
  return { status, statusText, url, isRedirected, headers: [...response.headers] };
}

/** Tells of what has come a few times a second, and of a stream keeps the end only. */
async function readBody(response, isStream, tell) {
  if (response.body === null) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  let isCut = false;
  let timer = null;
  const flush = () => {
    timer = null;
    tell({ text, isCut });
  };
  try {
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      text += piece.value;
      if (isStream && text.length > MOST_OF_STREAM) {
        text = text.slice(text.indexOf("\n", text.length - MOST_OF_STREAM) + 1);
        isCut = true;
      }
      timer ??= setTimeout(flush, SHOWN_EVERY_MS);
    }
  } catch (error) {
    throw error.name === "AbortError" ? error : new Error("The connection was cut.");
  } finally {
    clearTimeout(timer);
    flush();
  }
}
