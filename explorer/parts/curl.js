/** A request as a command for a POSIX shell. */

import { urlOf } from "../http.js";
import { token } from "../session.js";

/**
 * The command, a part a line. The token itself is never in it: the shell's variable TOKEN stands in
 * its place.
 */
export function asCurl(path, { method = "GET", headers = {}, body } = {}) {
  const { href } = urlOf(path);
  const parts = ["curl --include", ...optionsFor(method)];
  if (/[[\]{}]/.test(href)) parts.push("--globoff"); // to curl they stand for several URLs
  if (/event-stream|jsonl/.test(headers.Accept)) parts.push("--no-buffer");
  if (token() !== null) parts.push('--header "Authorization: Bearer $TOKEN"');
  for (const [name, value] of Object.entries(headers)) {
    parts.push(`--header ${quoted(value === "" ? `${name};` : `${name}: ${value}`)}`);
  }
  if (body !== undefined) parts.push(`--data-raw ${quoted(body)}`);
  return [...parts, quoted(href)].join(" \\\n  ");
}

/** With `--request HEAD` curl would wait for a body. */
function optionsFor(method) {
  if (method === "GET") return [];
  return [method === "HEAD" ? "--head" : `--request ${method}`];
}

/** A text as one word of a shell. */
function quoted(text) {
  return /^[\w./:%@=,+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
