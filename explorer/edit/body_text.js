/** A body as JSON text, with what is wrong in it. */

import { html, useRef } from "../html.js";
import { FieldErrors } from "../parts/problem_places.js";
import { placeIn } from "./text_places.js";

/** `errors` are `{pointer, detail}`; `onText` gets the text as it is now typed. */
export function BodyText({ text, errors, onText }) {
  const area = useRef();
  const show = (pointer) => {
    const place = placeIn(text, pointer);
    area.current.focus();
    if (place) area.current.setSelectionRange(place.start, place.end);
  };
  return html`
    <div class="field wide">
      <label for="body-text">Body, as JSON</label>
      <textarea ref=${area} id="body-text" class="mono" rows=${rowsFor(text)}
        spellcheck=${false} value=${text}
        aria-invalid=${errors.length > 0}
        aria-describedby=${errors.length ? "body-text-errors" : undefined}
        onInput=${(event) => onText(event.target.value)}></textarea>
      <${FieldErrors} id="body-text-errors" errors=${errors} onShow=${show} />
    </div>
  `;
}

function rowsFor(text) {
  return Math.min(30, Math.max(10, text.slice(0, 8000).split("\n").length + 1));
}
