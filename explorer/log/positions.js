/** Positions in the log, `<milliseconds>-<number>`. Both numbers may be larger than JavaScript's. */

/** Whether a text is one. */
export function isPosition(text) {
  return /^\d+-\d+$/.test(text);
}

/** Below zero where `one` is before `other` in the log, zero where they are the same. */
export function compare(one, other) {
  const [time, number] = one.split("-");
  const [otherTime, otherNumber] = other.split("-");
  return compareDigits(time, otherTime) || compareDigits(number, otherNumber);
}

function compareDigits(one, other) {
  if (one.length !== other.length) return one.length - other.length;
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

/** The time that a position stands for, in milliseconds since 1970. */
export function millisecondsOf(position) {
  return Number(position.split("-")[0]);
}

/** The position right before another one, or which could be there. */
export function positionBefore(position) {
  const [time, number] = position.split("-").map(BigInt);
  return number > 0n ? `${time}-${number - 1n}` : `${time - 1n}-${2n ** 64n - 1n}`;
}

/** The time in milliseconds as the API takes it. */
export function rfc3339(milliseconds) {
  return new Date(milliseconds).toISOString();
}
