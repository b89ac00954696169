/** One field of a form: what is typed, and whether there is a value at all. */

import { html, useId } from "../html.js";
import { pointerTo } from "../json_pointer.js";
import { FieldErrors } from "../parts/problem_places.js";

const KINDS = { json: "JSON", boolean: "true or false", choice: "one of these" };
const NAMES = { null: "null", absent: "left out", value: "a value" };

/**
 * `field` is one of schema_fields.js, `input` what draft.js has of it, `errors` what is wrong with
 * it as `{pointer, detail}`; `onInput` gets what has changed of `input`.
 */
export function FieldInput({ field, input, errors, onInput }) {
  const id = useId(); // a name may have blanks, which end an id where others refer to it
  const hint = hintOf(field);
  const described = [hint && `${id}-hint`, errors.length && `${id}-errors`].filter(Boolean);
  const shared = {
    id,
    "aria-describedby": described.join(" ") || undefined,
    "aria-invalid": errors.length > 0,
    "aria-required": field.isRequired,
  };
  const Control = CONTROLS[input.kind];
  return html`
    <div class="field">
      <label for=${id}>
        <bdi>${field.name}</bdi> <span class="muted">${kindNamed(field, input)}</span>
      </label>
      <div class="field-controls">
        <${Control} field=${field} input=${input} shared=${shared} onInput=${onInput} />
        <${StateChoice} field=${field} input=${input} onInput=${onInput} />
      </div>
      ${hint && html`<p class="hint" id=${`${id}-hint`}>${hint}</p>`}
      <${FieldErrors} id=${`${id}-errors`} errors=${errors} pointer=${pointerTo(field.name)} />
    </div>
  `;
}

function hintOf({ description, fallback }) {
  const left = fallback === undefined || fallback === "null" ? "" : `Left out, it is ${fallback}.`;
  return [description, left].filter(Boolean).join(" ");
}

function kindNamed(field, input) {
  const kind = KINDS[input.kind] ?? input.kind;
  return field.isRequired ? `${kind}, required` : kind;
}

const CONTROLS = {
  text: Text,
  integer: Digits,
  number: Digits,
  json: Json,
  boolean: Choice,
  choice: Choice,
};

function Text({ field, input, shared, onInput }) {
  const typed = (event) => onInput({ state: "value", text: event.target.value });
  const isLong = input.text.length > 80 || input.text.includes("\n");
  if (isLong) {
    return html`<textarea ...${shared} rows="4" value=${input.text} onInput=${typed}></textarea>`;
  }
  return html`
    <input ...${shared} type="text" autocomplete="off" value=${input.text}
      placeholder=${placeholder(field, input)} onInput=${typed} />
  `;
}

function Digits({ field, input, shared, onInput }) {
  const typed = ({ target: { value } }) => {
    onInput({ state: value ? "value" : emptied(field), text: value });
  };
  return html`
    <input ...${shared} type="text" inputmode=${input.kind === "integer" ? "numeric" : "decimal"}
      autocomplete="off" value=${input.text} placeholder=${placeholder(field, input)}
      onInput=${typed} />
  `;
}

/** What a number is when its last digit is taken away. */
function emptied(field) {
  return field.isNullable ? "null" : "absent";
}

function Json({ field, input, shared, onInput }) {
  const typed = ({ target: { value } }) => {
    onInput({ state: value.trim() ? "value" : "absent", text: value });
  };
  const rows = Math.min(16, Math.max(2, input.text.slice(0, 4000).split("\n").length));
  return html`
    <textarea ...${shared} class="mono" rows=${rows} spellcheck=${false} value=${input.text}
      placeholder=${placeholder(field, input)} onInput=${typed}></textarea>
  `;
}

/** true, false or one of the model's choices; null and left out stand among them. */
function Choice({ field, input, shared, onInput }) {
  const options = input.kind === "boolean" ? ["true", "false"] : field.options;
  const chosen = input.state === "value" ? `value ${input.text}` : input.state;
  const choose = ({ target: { value } }) => {
    const isValue = value.startsWith("value ");
    onInput({ state: isValue ? "value" : value, text: isValue ? value.slice(6) : "" });
  };
  return html`
    <select ...${shared} value=${chosen} onChange=${choose}>
      ${options.map((text) => html`<option value=${`value ${text}`}>${shown(text)}</option>`)}
      ${statesOf(field, input).filter((state) => state !== "value").map((state) => html`
        <option value=${state}>${isMissing(field, state) ? "choose …" : NAMES[state]}</option>
      `)}
    </select>
  `;
}

function isMissing(field, state) {
  return field.isRequired && state === "absent";
}

/** A choice as people read it: a text without its quotes. */
function shown(text) {
  return text.startsWith('"') ? JSON.parse(text) : text;
}

/** Whether the field has a value, is null or is left out; where there is a choice. */
function StateChoice({ field, input, onInput }) {
  const states = statesOf(field, input);
  if (input.kind === "boolean" || input.kind === "choice") return null;
  if (field.isRequired && !field.isNullable) return null;
  return html`
    <select class="field-state" aria-label=${`What ${field.name} is`} value=${input.state}
      onChange=${(event) => onInput({ state: event.target.value })}>
      ${states.map((state) => html`<option value=${state}>${NAMES[state]}</option>`)}
    </select>
  `;
}

function statesOf(field, input) {
  const mayBeAbsent = !field.isRequired || input.state === "absent";
  return ["value", field.isNullable && "null", mayBeAbsent && "absent"].filter(Boolean);
}

function placeholder(field, input) {
  if (input.state === "value") return undefined;
  return isMissing(field, input.state) ? "needed" : NAMES[input.state];
}
