/** Which elements of one list are those of another, and which came, went or changed between them. */

/** Beyond so many pairs of elements the middle of two lists is paired by place. */
const MOST_PAIRS = 1_000_000;

/**
 * The way from one list of keys to another: `[{before, after}]` in order, with the index in each,
 * or null where the other has no such element. A pair with unlike keys is one that changed.
 */
export function aligned(before, after) {
  const both = Math.min(before.length, after.length);
  let start = 0;
  while (start < both && before[start] === after[start]) start += 1;
  let end = 0;
  while (end < both - start && before.at(-1 - end) === after.at(-1 - end)) end += 1;
  const steps = [];
  for (let at = 0; at < start; at += 1) steps.push({ before: at, after: at });
  alignMiddle(before, after, start, before.length - end, after.length - end, steps);
  for (let at = end; at > 0; at -= 1) {
    steps.push({ before: before.length - at, after: after.length - at });
  }
  return steps;
}

function alignMiddle(before, after, start, beforeEnd, afterEnd, steps) {
  const [height, width] = [beforeEnd - start, afterEnd - start];
  if (height * width > MOST_PAIRS) return pairGap(start, beforeEnd, start, afterEnd, steps);
  const lengths = commonLengths(before, after, start, height, width);
  let [row, column, gapRow, gapColumn] = [0, 0, 0, 0];
  const closeGap = () =>
    pairGap(start + gapRow, start + row, start + gapColumn, start + column, steps);
  while (row < height && column < width) {
    if (before[start + row] === after[start + column]) {
      closeGap();
      steps.push({ before: start + row, after: start + column });
      row += 1;
      column += 1;
      [gapRow, gapColumn] = [row, column];
    } else if (lengths[(row + 1) * (width + 1) + column] >= lengths[row * (width + 1) + column + 1]) {
      row += 1;
    } else {
      column += 1;
    }
  }
  [row, column] = [height, width];
  closeGap();
}

/** The length of the longest common part from each place to the ends, row by row. */
function commonLengths(before, after, start, height, width) {
  const lengths = new Uint32Array((height + 1) * (width + 1));
  for (let row = height - 1; row >= 0; row -= 1) {
    for (let column = width - 1; column >= 0; column -= 1) {
      const here = row * (width + 1) + column;
      const below = here + width + 1;
      lengths[here] =
        before[start + row] === after[start + column]
          ? lengths[below + 1] + 1
          : Math.max(lengths[below], lengths[here + 1]);
    }
  }
  return lengths;
}

/** Between what is alike: elements at the same place changed, the rest came or went. */
function pairGap(before, beforeEnd, after, afterEnd, steps) {
  while (before < beforeEnd || after < afterEnd) {
    const step = { before: null, after: null };
    if (before < beforeEnd) step.before = before++;
    if (after < afterEnd) step.after = after++;
    steps.push(step);
  }
}
