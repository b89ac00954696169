/** What an event did: a sign, a colour and a word. */

import { html } from "../html.js";

const TYPES = {
  ItemCreated: { sign: "+", word: "created" },
  ItemUpdated: { sign: "~", word: "updated" },
  ItemDeleted: { sign: "−", word: "deleted" },
};

/** `of` is an event's type, such as `ItemCreated`. */
export function Type({ of }) {
  const { sign, word } = TYPES[of] ?? { sign: "·", word: of };
  return html`<span class="type ${word}" title=${of}><span aria-hidden="true">${sign}</span>${word}</span>`;
}
