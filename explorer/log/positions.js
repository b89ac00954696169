/**
 * Positions in the log, `<milliseconds>-<number>`. Both numbers may be larger than JavaScript's.
 *
 * In a store of several partitions an event's id has its partition after it, `@<p>`. Those of two
 * partitions are listed in order of time, and of one moment by their partitions.
 */

/** Whether a text is one, with a partition or without. */
export function isPosition(text) {
  return /^\d+-\d+(@\d+)?$/.test(text);
}

/** Below zero where `one` is before `other` in the log, zero where they are the same. */
export function compare(one, other) {
  const [time, number, partition = ""] = one.split(/[-@]/);
  const [otherTime, otherNumber, otherPartition = ""] = other.split(/[-@]/);
  return compareDigits(time, otherTime) || compareDigits(number, otherNumber)
    || compareDigits(partition, otherPartition);
}

/** How many events may be at the place of this one, up to it: one of each partition before its. */
export function placesUpTo(id) {
  return Number(id.split("@")[1] ?? 0) + 1;
}

/** The place without the partition: that in all of them. */
export function withoutPartition(id) {
  return id.split("@")[0];
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

/** The position right before another one, or which could be there, in all partitions. */
export function positionBefore(position) {
  const [time, number] = withoutPartition(position).split("-").map(BigInt);
  return number > 0n ? `${time}-${number - 1n}` : `${time - 1n}-${2n ** 64n - 1n}`;
}

/** The time in milliseconds as the API takes it. */
export function rfc3339(milliseconds) {
  return new Date(milliseconds).toISOString();
}
