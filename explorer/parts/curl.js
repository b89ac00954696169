/** A request as a command for a POSIX shell. */

import { urlOf } from "../http.js";
import { token } from "../session.js";

/** Methods for which curl has an option of its own; with `--request HEAD` it waits for a body. */
const OPTIONS = { GET: [], HEAD: ["--head"] };

/**
 * The command, a part a line. The token itself is never in it: the shell's variable TOKEN stands in
 * its place.
 */
export function asCurl(path, { method = "GET", headers = {}, body } = {}) {
  const parts = [
    `curl --globoff --include${method === "HEAD" ? "" : " --no-buffer"} ${quoted(urlOf(path).href)}`,
    ...(OPTIONS[method] ?? [`--request ${quoted(method)}`]),
  ];
  if (token() !== null) parts.push('--header "Authorization: Bearer $TOKEN"');
  for (const [name, value] of Object.entries(headers)) {
    parts.push(`--header ${quoted(value === "" ? `${name};` : `${name}: ${value}`)}`);
  }
  if (body !== undefined) parts.push(`--data-raw ${quoted(body)}`);
  return parts.join(" \\\n  ");
}

/** A text as one word of a shell. */
function quoted(text) {
  return /^[\w./:%@=,+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
