/**
 * JSON that keeps what JavaScript would lose: numbers beyond 2^53, and the order of all members.
 *
 * Objects are Maps, arrays are arrays, and numbers are Numerals, which keep their text.
 */

/** A number as it stands in the text. */
export class Numeral {
  constructor(text) {
    this.text = text;
  }
  valueOf() {
    return Number(this.text);
  }
  toString() {
    return this.text;
  }
}

const TOKEN = /[\s]*(?:([{}[\],:])|("(?:[^"\\]|\\.)*")|(-?\d[\d.eE+-]*)|(true|false|null))/y;

/** The value that a text stands for. Throws SyntaxError, as JSON.parse does. */
export function parse(text) {
  JSON.parse(text); // says what is wrong with it, and where
  TOKEN.lastIndex = 0;
  return valueAt(text, next(text));
}

function next(text) {
  const [, mark, string, number, word] = TOKEN.exec(text);
  return { mark, string, number, word };
}

function valueAt(text, token) {
  if (token.string !== undefined) return JSON.parse(token.string);
  if (token.number !== undefined) return new Numeral(token.number);
  if (token.word !== undefined) return JSON.parse(token.word);
  return token.mark === "{" ? membersAt(text) : elementsAt(text);
}

function membersAt(text) {
  const members = new Map();
  for (let token = next(text); token.mark !== "}"; token = next(text)) {
    if (token.mark === ",") continue;
    next(text); // the colon
    members.set(JSON.parse(token.string), valueAt(text, next(text)));
  }
  return members;
}

function elementsAt(text) {
  const elements = [];
  for (let token = next(text); token.mark !== "]"; token = next(text)) {
    if (token.mark !== ",") elements.push(valueAt(text, token));
  }
  return elements;
}

/** The text of a value: on one line, or indented by so many blanks a level. */
export function print(value, indent = 0, margin = "") {
  const isObject = value instanceof Map;
  if (!isObject && !Array.isArray(value)) return scalar(value);
  const [open, close] = isObject ? "{}" : "[]";
  const inner = margin + " ".repeat(indent);
  const parts = isObject
    ? [...value].map(([name, each]) => `${JSON.stringify(name)}: ${print(each, indent, inner)}`)
    : value.map((each) => print(each, indent, inner));
  if (!parts.length) return open + close;
  if (!indent) return open + parts.join(", ") + close;
  return `${open}\n${parts.map((part) => inner + part).join(",\n")}\n${margin}${close}`;
}

function scalar(value) {
  return value instanceof Numeral ? value.text : JSON.stringify(value);
}

/** Whether two values are the same JSON: members in any order, numbers by their text. */
export function same(one, other) {
  if (one instanceof Map && other instanceof Map) {
    return (
      one.size === other.size &&
      [...one].every(([name, value]) => other.has(name) && same(value, other.get(name)))
    );
  }
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((each, at) => same(each, other[at]));
  }
  if (one instanceof Numeral && other instanceof Numeral) return one.text === other.text;
  return one === other;
}
