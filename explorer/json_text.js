/**
 * JSON that keeps what JavaScript would lose: numbers beyond 2^53, and the order of all members.
 *
 * Objects are Maps, arrays are arrays, and numbers are Numerals, which keep their text. Nothing here
 * calls itself, so that no nesting is too deep.
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

/** The value that a text stands for. Throws SyntaxError, as JSON.parse does. */
export function parse(text) {
  JSON.parse(text); // says what is wrong with it, and where
  const open = [];
  let [whole, name] = [undefined, null];
  for (const token of tokensOf(text)) {
    const parent = open.at(-1);
    if (token === "}" || token === "]") {
      open.pop();
    } else if (parent instanceof Map && name === null) {
      name = textOf(token);
    } else {
      const value = valueAt(token);
      if (parent === undefined) whole = value;
      else if (parent instanceof Map) parent.set(name, value);
      else parent.push(value);
      name = null;
      if (token === "{" || token === "[") open.push(value);
    }
  }
  return whole;
}

const WORDS = new Map([["true", true], ["false", false], ["null", null]]);
const TOKEN = /[{}[\]"]|[^\s{}[\]",:]+/g;

/** Brackets, strings with their quotes, numbers and words, in a text that is known to be JSON. */
function* tokensOf(text) {
  const token = new RegExp(TOKEN);
  for (let found = token.exec(text); found !== null; found = token.exec(text)) {
    if (found[0] === '"') token.lastIndex = endOfString(text, found.index);
    yield text.slice(found.index, token.lastIndex);
  }
}

function endOfString(text, start) {
  let quote = text.indexOf('"', start + 1);
  while (isEscaped(text, quote)) quote = text.indexOf('"', quote + 1);
  return quote + 1;
}

function isEscaped(text, quote) {
  let slash = quote;
  while (text[slash - 1] === "\\") slash -= 1;
  return (quote - slash) % 2 === 1;
}

function valueAt(token) {
  if (token === "{") return new Map();
  if (token === "[") return [];
  if (token[0] === '"') return textOf(token);
  return WORDS.has(token) ? WORDS.get(token) : new Numeral(token);
}

function textOf(string) {
  return string.includes("\\") ? JSON.parse(string) : string.slice(1, -1);
}

const DEEPEST_MARGIN = 50;

/** The text of a value: on one line, or indented by so many blanks a level, up to 50 levels. */
export function print(value, indent = 0) {
  const written = [];
  const open = [];
  const lineAt = (depth) => (indent ? `\n${" ".repeat(indent * Math.min(depth, DEEPEST_MARGIN))}` : "");
  const write = (each) => {
    const members = membersOf(each);
    if (members === null) written.push(scalar(each));
    else if (members.length === 0) written.push(each instanceof Map ? "{}" : "[]");
    else open.push({ members, next: 0, isObject: each instanceof Map });
  };
  write(value);
  while (open.length > 0) {
    const top = open.at(-1);
    if (top.next === top.members.length) {
      open.pop();
      written.push(lineAt(open.length), top.isObject ? "}" : "]");
      continue;
    }
    if (top.next === 0) written.push(top.isObject ? "{" : "[");
    else written.push(indent ? "," : ", ");
    const [name, member] = top.members[top.next];
    top.next += 1;
    written.push(lineAt(open.length), top.isObject ? `${JSON.stringify(name)}: ` : "");
    write(member);
  }
  return written.join("");
}

/** Pairs of what is in an object or array, null of what is neither. */
function membersOf(value) {
  return value instanceof Map || Array.isArray(value) ? [...value.entries()] : null;
}

function scalar(value) {
  return value instanceof Numeral ? value.text : JSON.stringify(value);
}

/** Whether two values are the same JSON: members in any order, numbers by their text. */
export function same(one, other) {
  const pairs = [[one, other]];
  while (pairs.length > 0) {
    const [a, b] = pairs.pop();
    const [ours, theirs] = [membersOf(a), membersOf(b)];
    if (ours === null || theirs === null) {
      if (ours !== theirs || scalar(a) !== scalar(b)) return false;
      continue;
    }
    const isObject = a instanceof Map;
    if (isObject !== b instanceof Map || ours.length !== theirs.length) return false;
    if (isObject && !ours.every(([name]) => b.has(name))) return false;
    for (const [name, member] of ours) pairs.push([member, isObject ? b.get(name) : b[name]]);
  }
  return true;
}
