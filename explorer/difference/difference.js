/** What differs between two bodies, shown line by line. */

import { html, useEffect, useMemo, useState } from "../html.js";
import { compared, differences, isReordered, listed } from "./comparison.js";
import { folded, rowsOf } from "./difference_rows.js";

export { differences };

/** So many rows are shown at first, and with each further step. */
const STEP = 500;

/** So many characters of one piece of text are shown before one asks for all. */
const LONGEST_TEXT = 2_000;

const WORDS = { "+": "added", "-": "removed" };

/**
 * What turns `before` into `after`: lossless values (see json_text.js), or undefined for none.
 *
 * Unchanged parts are dimmed, long runs of them folded; `label` says what it is, as in "From version
 * 3 to version 5".
 */
export function Difference({ before, after, label = "" }) {
  const [found, rows] = useMemo(() => {
    const part = compared(before, after);
    return [listed(part), folded(rowsOf(part))];
  }, [before, after]);
  return html`
    <div class="difference">
      <p class="summary">${label && `${label}: `}${inWords(found, before, after)}</p>
      ${found.length > 0 && html`<${Rows} rows=${rows} label=${label} />`}
    </div>
  `;
}

function inWords(found, before, after) {
  if (found.length === 0) {
    return isReordered(before, after)
      ? "only the order of members differs."
      : "nothing differs.";
  }
  const count = (kind) => found.filter((each) => each.kind === kind).length;
  const parts = ["changed", "added", "removed"].map((kind) => [count(kind), kind]);
  return parts.filter(([number]) => number).map((part) => part.join(" ")).join(", ");
}

function Rows({ rows, label }) {
  const [most, setMost] = useState(STEP);
  const [unfolded, setUnfolded] = useState(new Set());
  useEffect(() => {
    setMost(STEP);
    setUnfolded(new Set());
  }, [rows]);
  const open = rows.flatMap((row) => (unfolded.has(row) ? row.folded : [row]));
  const left = open.length - most;
  return html`
    <div class="rows" role="group" aria-label=${label || "Difference"} tabindex="0">
      ${open.slice(0, most).map((row) =>
        row.folded
          ? html`<${Fold} count=${row.folded.length} within=${row.within}
              onOpen=${() => setUnfolded(new Set([...unfolded, row]))} />`
          : html`<${Row} ...${row} />`,
      )}
      ${left > 0 && html`
        <button type="button" onClick=${() => setMost(most + STEP)}>
          Show ${Math.min(left, STEP)} more of ${left} lines
        </button>
      `}
    </div>
  `;
}

function Fold({ count, within, onOpen }) {
  return html`
    <button type="button" class="quiet fold" onClick=${onOpen}>
      ⋯ ${count.toLocaleString("en")} unchanged lines${within && html`, then in <bdi dir="ltr">${within}</bdi>`}
    </button>
  `;
}

function Row({ sign, depth, name, texts, comma }) {
  const word = WORDS[sign];
  const tag = { "+": "ins", "-": "del", " ": "div" }[sign];
  return html`
    <${tag} class="row" style=${{ "--depth": depth }}>
      <span class="sign" aria-hidden="true">${sign}</span>
      ${word && html`<span class="unseen">${word}: </span>`}
      <span class="text">
        ${name && html`<${Text} text=${name} />${": "}`}
        ${texts.map((text, at) =>
          at % 2 ? html`<mark><${Text} text=${text} /></mark>` : html`<${Text} text=${text} />`,
        )}${comma}
      </span>
    <//>
  `;
}

function Text({ text }) {
  const [isWhole, setWhole] = useState(false);
  useEffect(() => setWhole(false), [text]);
  if (text.length <= LONGEST_TEXT || isWhole) return html`<bdi dir="ltr">${text}</bdi>`;
  return html`
    <bdi dir="ltr">${text.slice(0, LONGEST_TEXT)}</bdi>${" "}
    <button type="button" onClick=${() => setWhole(true)}>
      … ${text.length - LONGEST_TEXT} more characters
    </button>
  `;
}
