/** The fields of a form, read from a JSON Schema. */

import { print } from "../json_text.js";

const KINDS = { string: "text", integer: "integer", number: "number", boolean: "boolean" };

/**
 * The members that a schema names, in its order; null where it names none, so that there is no
 * form. Each: `name`, `kind` (text, integer, number, boolean, choice, json), `options` of a choice
 * as JSON texts, `isNullable`, `isRequired`, `description`. `schema` is lossless, or null.
 */
export function fieldsOf(schema) {
  if (!(schema instanceof Map)) return null;
  const whole = resolved(schema, schema);
  const members = whole.get("properties");
  if (!(members instanceof Map) || !members.size) return null;
  const required = whole.get("required") ?? [];
  return [...members]
    .filter(([, part]) => !isComputed(part))
    .map(([name, part]) => ({ name, ...described(part, schema), isRequired: required.includes(name) }));
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
  return { kind, isNullable, description, options: kind === "choice" ? optionsOf(inner) : [] };
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

/** A part that may be null is the other one, and may be null. Of more than one, there is no field. */
function withoutNull(part, schema) {
  if (!(part instanceof Map)) return { inner: part, isNullable: true };
  const types = part.get("type");
  if (Array.isArray(types)) {
    const others = types.filter((type) => type !== "null");
    const inner = new Map(part).set("type", others.length === 1 ? others[0] : null);
    return { inner, isNullable: others.length < types.length };
  }
  const kinds = part.get("anyOf") ?? part.get("oneOf");
  if (!Array.isArray(kinds)) return { inner: part, isNullable: part.get("enum")?.includes(null) === true };
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
  const names = reference.slice(2).split("/").map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~"));
  const target = names.reduce((found, name) => found?.get?.(name), schema);
  if (!(target instanceof Map)) return part;
  return new Map([...resolved(target, schema, depth + 1), ...part]);
}
