/** How much there is of something, in words. */

const UNITS = ["bytes", "kB", "MB", "GB", "TB"];
const STEP = 1000;

/** `1 item`, `2,000 items`. */
export function counted(number, noun) {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

/** `812 bytes`, `2.9 kB`. */
export function bytes(number) {
  let [size, unit] = [number, 0];
  while (size >= STEP && unit < UNITS.length - 1) [size, unit] = [size / STEP, unit + 1];
  const digits = unit > 0 && size < 10 ? 1 : 0;
  return `${size.toFixed(digits)} ${UNITS[unit]}`;
}
