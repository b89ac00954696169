/** Where in a body or a query something is wrong, as the store's problems say it. */

import { html } from "../html.js";

/** What an error says of the body: a list of `{pointer, detail}`, empty where it says nothing. */
export function errorsIn(error) {
  const errors = error?.problem?.errors;
  return Array.isArray(errors) ? errors.filter((each) => typeof each.pointer === "string") : [];
}

/** Those of the errors that are at this pointer, or below it. */
export function errorsAt(errors, pointer) {
  return errors.filter((each) => isWithin(each.pointer, pointer));
}

/** Those of the errors that are at none of the pointers, nor below. */
export function errorsElsewhere(errors, pointers) {
  return errors.filter((each) => !pointers.some((pointer) => isWithin(each.pointer, pointer)));
}

function isWithin(inner, outer) {
  return inner === outer || inner.startsWith(`${outer}/`);
}

/**
 * What is wrong at one field: `id` is for its `aria-describedby`, `pointer` that of the field.
 * With `onShow(pointer)` a place elsewhere can be asked for.
 */
export function FieldErrors({ id, errors, pointer = "", onShow }) {
  if (!errors.length) return null;
  return html`
    <div class="error" id=${id}>
      ${errors.map((each) => html`<p>${placeOf(each, pointer, onShow)}${each.detail}</p>`)}
    </div>
  `;
}

/** Where it is, if that is not plain from where it is said. */
function placeOf({ pointer }, plain, onShow) {
  if (pointer === plain) return null;
  if (!onShow || !pointer) return html`<code>${pointer || "The whole body"}</code>: `;
  return html`
    <button type="button" class="quiet mono" onClick=${() => onShow(pointer)}>${pointer}</button>
    <span> </span>
  `;
}

/**
 * A text with the mark where something in it is wrong. `place` is how many characters come before
 * it, as the problem `invalid-query` says it: of whole characters, not of UTF-16 units.
 */
export function MarkedPlace({ text, place }) {
  const characters = [...text];
  return html`
    <code class="marked-place">
      ${characters.slice(0, place).join("")}
      <mark>${characters[place] ?? " "}</mark>
      ${characters.slice(place + 1).join("")}
    </code>
  `;
}
