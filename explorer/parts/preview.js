/** The beginning of a value, on one line. */

/** As much of a lossless value as JSON as has about so many characters, however large it is. */
export function preview(value, most = 200) {
  const room = { left: most };
  const text = beginning(value, room);
  return room.left > 0 ? text : `${text.slice(0, most)}…`;
}

function beginning(value, room) {
  const written = ([name, each]) => member(name, each, room);
  if (value instanceof Map) return between("{}", value, written, room);
  if (Array.isArray(value)) return between("[]", value, (each) => beginning(each, room), room);
  return taken(typeof value === "string" ? JSON.stringify(cut(value, room)) : String(value), room);
}

function member(name, value, room) {
  return taken(`${JSON.stringify(cut(name, room))}: `, room) + beginning(value, room);
}

function between([open, close], parts, written, room) {
  const texts = [];
  for (const part of parts) {
    if (room.left <= 0) break;
    texts.push(written(part));
  }
  return open + texts.join(", ") + close;
}

/** No more of a text than there is room for, and no half of a character. */
function cut(text, room) {
  const most = Math.max(0, room.left) + 1;
  return text.length > most ? text.slice(0, most).replace(/[\uD800-\uDBFF]$/, "") : text;
}

function taken(text, room) {
  room.left -= text.length;
  return text;
}
