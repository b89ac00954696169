/** The fields of a form, read from a JSON Schema. */

import { nameIn } from "../json_pointer.js";
import { print } from "../json_text.js";

const KINDS = { string: "text", integer: "integer", number: "number", boolean: "boolean" };

/**
 * The members that a schema names, in its order; null where it names none, so that there is no
 * form. Each: `name`, `kind` (text, integer, number, boolean, choice, json), `options` of a choice
 * as JSON texts, `isNullable`, `isRequired`, `description`, and `fallback`, the JSON that it is
 * where it is left out, if the schema says so. `schema` is lossless, or null.
 */
export function fieldsOf(schema) {
  if (!(schema instanceof Map)) return null;
  const whole = resolved(schema, schema);
  const members = whole.get("properties");
  if (!(members instanceof Map) || !members.size) return null;
  const required = whole.get("required") ?? [];
  return [...members]
    .filter(([, part]) => !isComputed(part))
    .map(([name, part]) => {
      return { name, ...described(part, schema), isRequired: required.includes(name) };
    });
}

/** The store works these out itself, whatever a body says. */
function isComputed(part) {
  return part instanceof Map && part.get("readOnly") === true;
}

function described(part, schema) {
  const outer = resolved(part, schema);
  const { inner, isNullable } = withoutNull(outer, schema);
  const kind = kindOf(inner);
  const description = outer.get?.("description") ?? inner.get?.("description") ?? "";
  const fallback = outer.has?.("default") ? print(outer.get("default")) : undefined;
  const options = kind === "choice" ? optionsOf(inner) : [];
  return { kind, options, isNullable, description, fallback };
}

function kindOf(part) {
  if (!(part instanceof Map)) return "json";
  if (optionsOf(part).length) return "choice";
  return KINDS[part.get("type")] ?? "json";
}

function optionsOf(part) {
  const values = part.has("const") ? [part.get("const")] : (part.get("enum") ?? []);
  return values.filter((value) => value !== null).map((value) => print(value));
}

/** What a part is besides null, and whether it may be that. Of several it is none in particular. */
function withoutNull(part, schema) {
  if (!(part instanceof Map)) return { inner: part, isNullable: true };
  const types = part.get("type");
  if (Array.isArray(types)) {
    const others = types.filter((type) => type !== "null");
    const inner = new Map(part).set("type", others.length === 1 ? others[0] : null);
    return { inner, isNullable: others.length < types.length };
  }
  const kinds = part.get("anyOf") ?? part.get("oneOf");
  if (!Array.isArray(kinds)) return { inner: part, isNullable: isAmong(null, part.get("enum")) };
  const others = kinds.filter((each) => !(each instanceof Map && each.get("type") === "null"));
  const inner = others.length === 1 ? resolved(others[0], schema) : new Map();
  return { inner, isNullable: others.length < kinds.length };
}

/** What `$ref` refers to within the schema, with what stands beside it. */
function resolved(part, schema, depth = 0) {
  if (!(part instanceof Map) || depth > 8) return part;
  const all = part.get("allOf");
  const reference = part.get("$ref") ?? (all?.length === 1 ? all[0]?.get?.("$ref") : undefined);
  if (typeof reference !== "string" || !reference.startsWith("#/")) return part;
  const names = reference.slice(2).split("/");
  const target = names.map(nameIn).reduce((found, name) => found?.get?.(name), schema);
  if (!(target instanceof Map)) return part;
  return new Map([...resolved(target, schema, depth + 1), ...part]);
}

function isAmong(value, values) {
  return Array.isArray(values) && values.includes(value);
}
