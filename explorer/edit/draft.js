/**
 * A body that somebody is about to write: as a form, or as JSON text.
 *
 * Nothing here draws. A draft is never changed: each step gives a new one. What was typed is kept
 * as it was typed, also where it is not JSON yet.
 */

import { Numeral, parse, print } from "../json_text.js";

const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;
const MOST_OTHERS = 50;
const LARGE = 100_000;
const STRINGS_AND_BLANKS = /("[^"\\]*(?:\\.[^"\\]*)*")|\s+/g;
const UNKNOWN = { kind: "json", options: [], isNullable: false, isRequired: false };

/**
 * The draft of a value, or of a new one where it is undefined. `fields` are those of the model
 * (see schema_fields.js), or null where there is no form for it.
 */
export function draftOf(value, fields) {
  const text = written(value ?? new Map());
  const isObject = value === undefined || value instanceof Map;
  const isForm = fields && isObject && text.length <= LARGE;
  const draft = formed(value ?? new Map(), fields, text);
  return { ...draft, mode: isForm ? "form" : "text", began: draft.agreed };
}

/** A value as text to be edited. A large one is on one line: many are too much for a browser. */
function written(value) {
  const text = print(value);
  return text.length > LARGE ? text : print(value, 2);
}

/** A draft whose form and text say the same. */
function formed(value, fields, text) {
  const members = value instanceof Map ? value : new Map();
  const all = fields ? [...fields, ...others(members, fields)] : [];
  const inputs = new Map(all.map((field) => [field.name, inputOf(members.get(field.name), field)]));
  const draft = { fields: all, own: fields, value: members, inputs, text };
  return { ...draft, agreed: { text, form: formText(draft) } };
}

/** Fields for what a value has and its model does not know. */
function others(members, fields) {
  const known = new Set(fields.map((field) => field.name));
  return [...members.keys()]
    .filter((name) => !known.has(name))
    .slice(0, MOST_OTHERS)
    .map((name) => ({ ...UNKNOWN, name }));
}

/**
 * What a field shows: `state` (value, null, absent), `text` as typed, and the `kind` of field,
 * which is `json` where the value is not of the kind that the model has.
 */
function inputOf(value, field) {
  if (value === undefined) return { state: "absent", text: "", kind: field.kind };
  if (value === null && field.isNullable) return { state: "null", text: "", kind: field.kind };
  const text = typedText(value, field);
  if (text === undefined) return { state: "value", text: written(value), kind: "json" };
  return { state: "value", text, kind: field.kind };
}

function typedText(value, { kind, options }) {
  if (kind === "text") return isTypable(value) ? value : undefined;
  if (kind === "integer" || kind === "number") {
    return value instanceof Numeral ? value.text : undefined;
  }
  if (kind === "boolean") return typeof value === "boolean" ? String(value) : undefined;
  if (kind === "choice") return options.includes(print(value)) ? print(value) : undefined;
  return undefined;
}

/** Whether it is a text that a browser's field keeps: it makes every end of a line the same. */
function isTypable(value) {
  return typeof value === "string" && !value.includes("\r");
}

/** The draft with a field as it is now typed or chosen. */
export function withInput(draft, name, changed) {
  const inputs = new Map(draft.inputs);
  inputs.set(name, { ...inputs.get(name), ...changed });
  return { ...draft, inputs };
}

/** The draft with its JSON text as it is now typed. */
export function withText(draft, text) {
  return { ...draft, text };
}

/** The draft as JSON text. Where the form was not touched, the text is as it was typed. */
export function asText(draft) {
  const form = formText(draft);
  const text = form === draft.agreed.form ? draft.text : form;
  return { ...draft, mode: "text", text, agreed: { text, form } };
}

/** The draft as a form. Throws SyntaxError where the text is no JSON object yet. */
export function asForm(draft) {
  if (draft.text === draft.agreed.text) return { ...draft, mode: "form" };
  const value = parse(draft.text);
  if (!(value instanceof Map)) throw new SyntaxError("The form is for objects: { … }.");
  const { began, own } = draft;
  return { ...formed(value, own, draft.text), mode: "form", began };
}

/** Whether it differs from what it began with. */
export function isChanged(draft) {
  if (draft.mode === "text") return draft.text !== draft.began.text;
  return formText(draft) !== draft.began.form;
}

/** The JSON to send: as it was typed but for blanks, or made of the form. */
export function bodyOf(draft) {
  if (draft.mode === "text") return draft.text.replace(STRINGS_AND_BLANKS, "$1");
  return print(assembled(draft));
}

/** What can't be sent as it is: a list of `{name, detail}`; `name` is null for the whole text. */
export function mistakesIn(draft) {
  if (draft.mode === "text") return mistakeOf(() => JSON.parse(draft.text), null);
  return [...draft.inputs].flatMap(([name, input]) => {
    if (input.state !== "value") return [];
    if (input.kind === "json") return mistakeOf(() => JSON.parse(input.text), name);
    const isNumber = input.kind === "integer" || input.kind === "number";
    if (!isNumber || NUMBER.test(input.text.trim())) return [];
    return [{ name, detail: "Not a number, as JSON writes it: 12, -0.5, 1e6." }];
  });
}

function mistakeOf(read, name) {
  try {
    read();
    return [];
  } catch (error) {
    return [{ name, detail: `Not JSON yet: ${error.message}.` }];
  }
}

function formText(draft) {
  return written(assembled(draft));
}

/** The members in their old order, new ones after them, each as it was typed. */
function assembled({ value, inputs }) {
  const members = new Map(value);
  for (const [name, input] of inputs) {
    if (input.state === "absent") members.delete(name);
    else members.set(name, valueOf(input));
  }
  return members;
}

function valueOf({ state, kind, text }) {
  if (state === "null") return null;
  if (kind === "text") return text;
  try {
    if (kind === "integer" || kind === "number") return new Numeral(text.trim());
    return parse(text);
  } catch {
    return new Numeral(text); // stands in the text as it was typed
  }
}
