/** Reads what `/metrics` answers: Prometheus' text format, and what two readings say together. */

const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;
const ESCAPED = { "\\n": "\n", '\\"': '"', "\\\\": "\\" };

/** All numbers of one moment. `time` is in seconds. */
export class Reading {
  constructor(text, time) {
    this.time = time;
    this.samples = samplesOf(text);
  }

  /** The sum of a metric's samples whose labels are accepted; null where it has no samples. */
  sum(name, accepts = () => true) {
    const found = this.samples.get(name);
    if (!found) return null;
    return found.reduce((sum, { labels, value }) => sum + (accepts(labels) ? value : 0), 0);
  }

  /** Sums by the value of one label, or by what a function makes of all labels, if not null: a Map. */
  sumsBy(name, by) {
    const keyOf = typeof by === "function" ? by : (labels) => labels[by];
    const sums = new Map();
    for (const { labels, value } of this.samples.get(name) ?? []) {
      const key = keyOf(labels);
      if (key !== null) sums.set(key, (sums.get(key) ?? 0) + value);
    }
    return sums;
  }

  /** The largest of a metric's samples; null where it has none. */
  largest(name) {
    const found = this.samples.get(name);
    return found?.length ? Math.max(...found.map(({ value }) => value)) : null;
  }
}

function samplesOf(text) {
  const samples = new Map();
  for (const line of text.split("\n")) {
    const [, name, labels = "", value] = SAMPLE.exec(line) ?? [];
    if (name === undefined) continue;
    if (!samples.has(name)) samples.set(name, []);
    samples.get(name).push({ labels: labelsOf(labels), value: numberOf(value) });
  }
  return samples;
}

function labelsOf(text) {
  const pairs = [...text.matchAll(LABEL)].map(([, name, value]) => [
    name,
    value.replace(/\\[n"\\]/g, (escaped) => ESCAPED[escaped]),
  ]);
  return Object.fromEntries(pairs);
}

function numberOf(text) {
  if (text === "+Inf") return Infinity;
  return text === "-Inf" ? -Infinity : Number(text);
}

/** How much a counter grew, by `by` as in sumsBy: a Map. One that began again counts from 0. */
export function growth(before, after, name, by) {
  const earlier = before.sumsBy(name, by);
  const grown = [...after.sumsBy(name, by)].map(([key, value]) => {
    const was = earlier.get(key) ?? 0;
    return [key, value >= was ? value - was : value];
  });
  return new Map(grown);
}

/** The same, a second. */
export function rates(before, after, name, by) {
  const seconds = after.time - before.time;
  return new Map([...growth(before, after, name, by)].map(([key, sum]) => [key, sum / seconds]));
}

/**
 * A quantile of what a histogram observed between two readings, as Prometheus estimates it: within
 * its bucket by a straight line. Null where nothing was observed. `accepts` says whose labels count.
 */
export function quantile(before, after, name, share, accepts = () => true) {
  const bound = (labels) => (accepts(labels) ? labels.le : null);
  const buckets = [...growth(before, after, `${name}_bucket`, bound)]
    .map(([bound, count]) => ({ bound: numberOf(bound), count }))
    .sort((one, other) => one.bound - other.bound);
  const wanted = share * (buckets.at(-1)?.count ?? 0);
  if (!wanted) return null;
  const place = buckets.findIndex(({ count }) => count >= wanted);
  const found = buckets[place];
  const below = buckets[place - 1] ?? { bound: 0, count: 0 };
  if (found.bound === Infinity) return below.bound;
  const part = (wanted - below.count) / (found.count - below.count);
  return below.bound + part * (found.bound - below.bound);
}
