/** A form that asks for a moment, on the clock here or as RFC 3339. */

import { html, useEffect, useState } from "../html.js";
import { dateOf, dateOfInput, localInput, textOf, zoneAt } from "./rfc3339.js";

const WANTED = "Write it as in 2026-11-27T22:00:00Z, or with an offset, as in 2026-11-27T23:00:00+01:00.";

/** `at` is what stands in it at first; `onChoose` gets an RFC 3339 text in UTC. */
export function MomentForm({ at, onChoose }) {
  const [text, setText] = useState(at);
  useEffect(() => setText(at), [at]);
  const [isRefused, setIsRefused] = useState(false);
  const date = dateOf(text);
  const isWrong = text !== "" && date === null && (isRefused || text === at);
  const choose = (event) => {
    event.preventDefault();
    setIsRefused(date === null);
    if (date !== null) onChoose(textOf(date));
  };
  const setLocal = (event) => {
    const chosen = dateOfInput(event.target.value);
    if (chosen !== null) setText(textOf(chosen));
  };
  return html`
    <form class="bar moment" onSubmit=${choose} novalidate>
      <div class="field">
        <label for="moment-local">Date and time here</label>
        <input id="moment-local" type="datetime-local" step="1" aria-describedby="moment-zone"
          value=${date ? localInput(date) : ""} onChange=${setLocal} />
      </div>
      <div class="field grows">
        <label for="moment-text">The same as RFC 3339</label>
        <input id="moment-text" class="mono" required value=${text} autocomplete="off" spellcheck=${false}
          aria-invalid=${isWrong ? "true" : null} aria-describedby=${isWrong ? "moment-error" : null}
          onInput=${(event) => setText(event.target.value)} />
      </div>
      <button class="primary">Show</button>
      <p class="hint" id="moment-zone">
        The clock here is ${zoneAt(date ?? new Date())}. The store takes whole seconds.
      </p>
      ${isWrong && html`<p class="error" id="moment-error" role="alert">This is no time. ${WANTED}</p>`}
    </form>
  `;
}
