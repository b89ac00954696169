/** Which events the log view shows: of which collection, type and item, and where it begins. */

import { html, useEffect, useState } from "../html.js";

const TYPES = { ItemCreated: "created", ItemUpdated: "updated", ItemDeleted: "deleted" };

/** `shown` is what the address says; `onChange` gets what is to be another. */
export function Filters({ collections, shown, onChange }) {
  const put = (name) => (event) => onChange({ [name]: event.target.value });
  return html`
    <form class="bar log-filters" aria-label="Which events" onSubmit=${(event) => event.preventDefault()}>
      ${collections.length > 1 && html`
        <label class="field">Collection
          <select value=${shown.source ?? ""} onChange=${put("source")}>
            <option value="">all</option>
            ${collections.map((name) => html`<option value=${`/${name}`}>${name}</option>`)}
          </select>
        </label>
      `}
      <label class="field">Type
        <select value=${shown.type ?? ""} onChange=${put("type")}>
          <option value="">all</option>
          ${Object.entries(TYPES).map(([type, word]) => html`<option value=${type}>${word}</option>`)}
        </select>
      </label>
      <label class="field grows">Item
        <${Field} type="search" dir="auto" autocomplete="off" spellcheck=${false}
          placeholder="its whole id" value=${shown.item ?? ""} onCommit=${(item) => onChange({ item })} />
      </label>
      <label class="field">Begin at
        <${Field} type="datetime-local" step="1" value=${localText(shown.since)}
          onCommit=${(text) => onChange({ since: timeOf(text) })} />
      </label>
    </form>
  `;
}

/** A field that keeps what is typed to itself until it is left, or Enter is pressed. */
function Field({ value, onCommit, ...attributes }) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  const commit = () => text !== value && onCommit(text);
  return html`
    <input ...${attributes} value=${text} onInput=${(event) => setText(event.target.value)}
      onBlur=${commit} onKeyDown=${(event) => event.key === "Enter" && commit()} />
  `;
}

/** The time of a field of this kind as the API takes it; "" where it is empty. */
function timeOf(text) {
  return text === "" ? "" : new Date(text).toISOString();
}

/** A time as a field of this kind takes it, by the clock here. */
function localText(at) {
  const date = new Date(at ?? "");
  if (Number.isNaN(date.getTime())) return "";
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 19);
}
