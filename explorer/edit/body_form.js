/** A body to write: a form where the model is known, JSON text for the rest and on request. */

import { html, useState } from "../html.js";
import { pointerTo } from "../json_pointer.js";
import { BodyText } from "./body_text.js";
import { asForm, asText, withInput, withText } from "./draft.js";
import { FieldInput } from "./field_input.js";
import { errorsAt, errorsElsewhere, FieldErrors } from "../parts/problem_places.js";

/**
 * `draft` is one of draft.js, and `onDraft` gets the next one. `mistakes` are its own, which keep
 * it from being sent (`mistakesIn`), and `errors` what the store said of it (`errorsIn`).
 */
export function BodyForm({ draft, onDraft, mistakes, errors }) {
  return html`
    <${ModeChoice} draft=${draft} onDraft=${onDraft} />
    ${draft.mode === "form"
      ? html`<${Fields} draft=${draft} onDraft=${onDraft} mistakes=${mistakes} errors=${errors} />`
      : html`<${BodyText} text=${draft.text} errors=${[...mistakes.map(atWhole), ...errors]}
          onText=${(text) => onDraft(withText(draft, text))} />`}
  `;
}

function atWhole({ detail }) {
  return { pointer: "", detail };
}

/** Form or text; what was typed is taken along, and a text that is no object yet stays. */
function ModeChoice({ draft, onDraft }) {
  const [refusal, setRefusal] = useState(null);
  if (!draft.own) return null;
  const change = (turned) => () => {
    try {
      onDraft(turned(draft));
      setRefusal(null);
    } catch (error) {
      setRefusal(`This can't be shown as a form yet. ${error.message}`);
    }
  };
  const choice = (mode, name, turned) => html`
    <label>
      <input type="radio" name="body-mode" checked=${draft.mode === mode}
        onChange=${change(turned)} /> ${name}
    </label>
  `;
  return html`
    <fieldset class="mode-choice">
      <legend>Body</legend>
      ${choice("form", "Form", asForm)} ${choice("text", "JSON", asText)}
      ${refusal && html`<p class="error" role="alert">${refusal}</p>`}
    </fieldset>
  `;
}

function Fields({ draft, onDraft, mistakes, errors }) {
  const pointers = draft.fields.map((field) => pointerTo(field.name));
  const elsewhere = errorsElsewhere(errors, pointers);
  return html`
    <${FieldErrors} id="form-errors" errors=${elsewhere} />
    ${draft.fields.map((field, at) => html`
      <${FieldInput} key=${field.name} field=${field} input=${draft.inputs.get(field.name)}
        errors=${[...mistakesOf(mistakes, field.name), ...errorsAt(errors, pointers[at])]}
        onInput=${(changed) => onDraft(withInput(draft, field.name, changed))} />
    `)}
  `;
}

function mistakesOf(mistakes, name) {
  const own = mistakes.filter((each) => each.name === name);
  return own.map(({ detail }) => ({ pointer: pointerTo(name), detail }));
}
