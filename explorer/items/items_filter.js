/** Which items are listed: a form above the list. */

import { go, href } from "../address.js";
import { html, useEffect, useState } from "../html.js";
import { MarkedPlace } from "../parts/problem_places.js";

const PREFIX = { name: "prefix", label: "Ids that begin with", hint: "" };
const OF_A_QUERY = [
  {
    name: "where",
    label: "Where",
    hint: '@ is the body, as in @.size > 3 && match(@.name, "F.*")',
    grows: true,
  },
  { name: "order", label: "Order by", hint: "- for descending: -size,name" },
  { name: "search", label: "Words", hint: 'As in: tea "black tea" te*' },
];

/**
 * `asked` is what the address says, `hasQueries` whether items are found by what is in them here,
 * `error` what the store said of the query, or null.
 */
export function ItemsFilter({ collection, asked, hasQueries, error }) {
  const [typed, setTyped] = useState(asked);
  const [isFolded, setFolded] = useState(!OF_A_QUERY.some(({ name }) => asked[name]));
  useEffect(() => setTyped(asked), [JSON.stringify(asked)]);
  const fields = hasQueries ? [PREFIX, ...OF_A_QUERY] : [PREFIX];
  const show = (event) => {
    event.preventDefault();
    go("items", { collection, ...typed });
  };
  return html`
    <form class=${`bar items-filter ${isFolded ? "folded" : ""}`} role="search" onSubmit=${show}>
      ${fields.map((field) => html`
        <${Field} key=${field.name} field=${field} text=${typed[field.name] ?? ""}
          asked=${asked[field.name] ?? ""} error=${errorAt(error, field)}
          onText=${(text) => setTyped({ ...typed, [field.name]: text })} />
      `)}
      <span class="actions">
        <button>Show</button>
        ${hasQueries && html`
          <button type="button" class="quiet unfold" aria-expanded=${!isFolded}
            onClick=${() => setFolded(!isFolded)}>By what is in them</button>
        `}
        ${fields.some(({ name }) => asked[name]) && html`
          <a href=${href("items", { collection })}>All</a>
        `}
      </span>
    </form>
  `;
}

function errorAt(error, field) {
  return error?.kind === "invalid-query" && error.problem.parameter === field.name ? error : null;
}

function Field({ field, text, asked, error, onText }) {
  const id = `filter-${field.name}`;
  const described = [field.hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ");
  return html`
    <div class=${`field ${field === PREFIX ? "" : "of-a-query"} ${field.grows ? "grows" : ""}`}>
      <label for=${id}>${field.label}</label>
      <input id=${id} class="mono" type="text" autocomplete="off" autocapitalize="none"
        spellcheck=${false} dir="auto" value=${text} aria-describedby=${described || undefined}
        aria-invalid=${error !== null}
        onInput=${(event) => onText(event.target.value)} />
      ${field.hint && html`<p class="hint" id=${`${id}-hint`}>${field.hint}</p>`}
      ${error && html`
        <div class="error" id=${`${id}-error`} role="alert">
          <p>${error.message}</p>
          ${error.problem.place !== null && html`
            <${MarkedPlace} text=${asked} place=${error.problem.place} />
          `}
        </div>
      `}
    </div>
  `;
}
