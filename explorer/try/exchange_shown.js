/** A request and its answer, as they went over the wire. */

import { html, useLayoutEffect, useMemo, useRef, useState } from "../html.js";
import { parse } from "../json_text.js";
import { token } from "../session.js";
import { Failure } from "../parts/failure.js";
import { Json } from "../parts/json.js";

const SHOWN_CHARACTERS = 100_000;

/** `of` is what exchange.js tells. */
export function ExchangeShown({ of }) {
  const { status, error, isOver, isStopped } = of;
  return html`
    <section class="exchange" aria-label="The exchange">
      <h2>Request</h2>
      <pre class="wire" tabindex="0" aria-label="The request">${requestText(of.request)}</pre>
      <p class="hint">The browser adds fields of its own, such as Host and User-Agent${ignoredText(of.request)}.</p>
      <h2>Answer</h2>
      <p role="status">${stateOf(of)}</p>
      ${error && html`<${Failure} error=${error} />`}
      ${status !== undefined && html`<${AnswerShown} of=${of} isWhole=${isOver && !isStopped} />`}
    </section>
  `;
}

function requestText({ method, path, headers, body }) {
  const sent = token() === null ? headers : { Authorization: "Bearer $TOKEN", ...headers };
  const lines = Object.entries(sent).map(([name, value]) => `${name}: ${value}`);
  return [`${method} ${path}`, ...lines, ...(body === undefined ? [] : ["", body])].join("\n");
}

function ignoredText({ ignored }) {
  return ignored.length ? `, and lets no page set ${ignored.join(", ")}: left out` : "";
}

/** One sentence, that screen readers hear too. */
function stateOf({ status, statusText, isStream, isOver, isStopped, milliseconds, error }) {
  if (error) return "";
  if (status === undefined) return isOver ? "Stopped." : "Waiting for the answer …";
  const code = `${status} ${statusText}`.trim();
  if (!isOver) return isStream ? `${code}: a stream, which is shown as it comes.` : `${code} …`;
  return `${code}, ${isStopped ? "stopped " : ""}after ${duration(milliseconds)}.`;
}

function duration(milliseconds) {
  return milliseconds < 1000 ? `${milliseconds.toFixed(1)} ms` : `${(milliseconds / 1000).toFixed(2)} s`;
}

function AnswerShown({ of, isWhole }) {
  const { status, statusText, headers, isRedirected, url, text, isStream, isCut, request } = of;
  const head = [`${status} ${statusText}`.trim(), ...headers.map(([name, value]) => `${name}: ${value}`)];
  return html`
    ${isRedirected && html`
      <p class="notice">The browser followed a redirect to <code>${new URL(url).pathname}</code>, and shows the answer from there only.</p>
    `}
    <pre class="wire" tabindex="0" aria-label="Status and header fields">${head.join("\n")}</pre>
    ${isCut && html`<p class="hint">Of the stream the end is kept.</p>`}
    ${text === ""
      ? html`<p class="muted">${isWhole ? noBody(request.method, status) : ""}</p>`
      : isStream
        ? html`<${Stream} text=${text} />`
        : html`<${Body} text=${text} isJson=${isWhole && isJson(headers)} />`}
  `;
}

function isJson(headers) {
  return headers.some(([name, value]) => name === "content-type" && /[/+]json\b/.test(value));
}

function noBody(method, status) {
  if (method === "HEAD") return "HEAD has no body: the header fields are those of GET.";
  if (status === 304) return "Nothing has changed, so there is no body.";
  return "It has no body.";
}

/** A stream: its newest lines are in sight. */
function Stream({ text }) {
  const place = useRef(null);
  useLayoutEffect(() => {
    place.current.scrollTop = place.current.scrollHeight;
  }, [text]);
  return html`<pre class="wire" tabindex="0" aria-label="Body" ref=${place}>${text}</pre>`;
}

function Body({ text, isJson: isJsonText }) {
  const value = useMemo(() => (isJsonText ? parsed(text) : undefined), [text, isJsonText]);
  const [isAll, setIsAll] = useState(false);
  if (value !== undefined) return html`<${Json} value=${value} />`;
  const isLong = text.length > SHOWN_CHARACTERS && !isAll;
  return html`
    <pre class="wire" tabindex="0" aria-label="Body">${isLong ? `${text.slice(0, SHOWN_CHARACTERS)} …` : text}</pre>
    ${isLong && html`<button type="button" onClick=${() => setIsAll(true)}>Show all of it</button>`}
  `;
}

function parsed(text) {
  try {
    return parse(text);
  } catch {
    return undefined; // it is shown as it came
  }
}
