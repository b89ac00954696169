/** A value as JSON, for reading. */

import { html, useMemo, useState } from "../html.js";
import { print } from "../json_text.js";
import { visible } from "./visible.js";

const COLOURED_CHARACTERS = 100_000;
const BEGINNING = 20_000;
const TOKEN = /("(?:[^"\\]|\\.)*")(:?)|-?\d[\d.eE+-]*|true|false|null/g;

/** A value of json_text.js, with all its digits. Of a long one the beginning, until all is wanted. */
export function Json({ value }) {
  const text = useMemo(() => visible(print(value, 2)), [value]);
  const [isWhole, setIsWhole] = useState(false);
  if (text.length <= COLOURED_CHARACTERS) {
    return html`<pre class="json" tabindex="0" aria-label="JSON">${coloured(text)}</pre>`;
  }
  const length = `${Math.round(text.length / 1000).toLocaleString("en")} kB`;
  return html`
    <pre class="json" tabindex="0" aria-label="JSON">${isWhole ? text : [...coloured(text.slice(0, BEGINNING)), " …"]}</pre>
    ${!isWhole && html`
      <p><button type="button" onClick=${() => setIsWhole(true)}>Show all ${length}</button></p>
    `}
  `;
}

function coloured(text) {
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(TOKEN)) {
    parts.push(text.slice(end, match.index), html`<span class=${kindOf(match)}>${match[1] ?? match[0]}</span>`);
    end = match.index + (match[1] ?? match[0]).length;
  }
  return [...parts, text.slice(end)];
}

function kindOf([whole, string, colon]) {
  if (string !== undefined) return colon ? "name" : "text";
  return /[tfn]/.test(whole[0]) ? "word" : "numeral";
}
