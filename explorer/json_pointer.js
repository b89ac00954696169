/** JSON Pointers (RFC 6901), which say where in a JSON value something is: `/rows/0/name`. */

/** The part of a pointer that leads to a member, or to an element by its index. */
export function pointerTo(name) {
  return `/${String(name).replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

/** The name that stands behind a part of a pointer, without its slash. */
export function nameIn(part) {
  return part.replaceAll("~1", "/").replaceAll("~0", "~");
}
