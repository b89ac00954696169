/** Times as text: RFC 3339, what an input for a date and time holds, and what HTTP has. */

const RFC_3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/;

/** The Date of an RFC 3339 text, to the whole second; null where it is none. */
export function dateOf(text) {
  const match = RFC_3339.exec(text.trim());
  if (!match) return null;
  const [year, month, day] = match.slice(1, 4).map(Number);
  const date = new Date(text.trim().toUpperCase().replace(" ", "T"));
  const isDay = day >= 1 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
  if (Number.isNaN(date.getTime()) || !isDay || !isFourDigits(date)) return null;
  date.setUTCMilliseconds(0);
  return date;
}

function isFourDigits(date) {
  return date.getUTCFullYear() >= 1 && date.getUTCFullYear() <= 9999;
}

/** `2026-11-27T22:00:00Z` */
export function textOf(date) {
  return `${date.toISOString().slice(0, 19)}Z`;
}

/** What `<input type="datetime-local">` holds for a Date, by the clock here. */
export function localInput(date) {
  const shifted = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 19);
}

/** The Date of what such an input holds; null where it is not filled in. */
export function dateOfInput(text) {
  const date = new Date(text);
  return Number.isNaN(date.getTime()) || !isFourDigits(date) ? null : date;
}

/** The time zone here, and how far it is from UTC at a date: `Europe/Berlin, UTC+01:00`. */
export function zoneAt(date) {
  const minutes = -date.getTimezoneOffset();
  const two = (number) => String(Math.floor(number)).padStart(2, "0");
  const offset = `${two(Math.abs(minutes) / 60)}:${two(Math.abs(minutes) % 60)}`;
  const name = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return `${name}, UTC${minutes < 0 ? "−" : "+"}${offset}`;
}
