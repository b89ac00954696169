/** Header fields as people write them: `Name: value`, one a line. */

/** The value of a field, or null. */
export function fieldOf(lines, name) {
  const line = lines.split("\n").find((each) => isOf(each, name));
  return line === undefined ? null : line.slice(line.indexOf(":") + 1).trim();
}

/** The lines with that field, in place of one of that name. */
export function withField(lines, name, value) {
  return [...others(lines, name), `${name}: ${value}`].join("\n");
}

/** The lines without that field. */
export function withoutField(lines, name) {
  return others(lines, name).join("\n");
}

function others(lines, name) {
  return lines.split("\n").filter((each) => each.trim() !== "" && !isOf(each, name));
}

function isOf(line, name) {
  return line.slice(0, line.indexOf(":")).trim().toLowerCase() === name.toLowerCase();
}
