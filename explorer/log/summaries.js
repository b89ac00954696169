/**
 * What is kept of each event that is listed: little, since there may be a hundred thousand of them.
 * The whole event is asked for again when somebody opens it.
 */

const EXCERPT = 100;
const BODY = ',"data":';
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[[{}\]]/g;

/** The summary of an event by the text of it, a CloudEvent as the store writes them. */
export function summaryOf(text) {
  // A quote within a text has a backslash before it, so this is the first body there is.
  const end = text.indexOf(BODY);
  const head = JSON.parse(end < 0 ? text : `${text.slice(0, end)}}`);
  return {
    id: head.id,
    type: head.type,
    collection: head.source.split("/").pop(),
    item: head.subject,
    version: head.itemversion,
    actor: head.actor ?? "",
    excerpt: end < 0 ? "" : excerptOf(text, end + BODY.length),
  };
}

/** The beginning of the body; a copy, since a slice would keep all of the text in memory. */
function excerptOf(text, begin) {
  const end = text.length - 1; // without the brace that closes the event
  const cut = end - begin > EXCERPT;
  const slice = text.slice(begin, cut ? begin + EXCERPT : end);
  return JSON.parse(JSON.stringify(cut ? `${slice} …` : slice));
}

/** The texts of the objects that a JSON list has, none of which is read for that. */
export function textsIn(list) {
  const texts = [];
  let depth = 0;
  let begin = 0;
  for (const { 0: token, index } of list.matchAll(TOKEN)) {
    if (token === "{" || token === "[") {
      depth += 1;
      if (depth === 2) begin = index;
    } else if (token === "}" || token === "]") {
      depth -= 1;
      if (depth === 1) texts.push(list.slice(begin, index + 1));
    }
  }
  return texts;
}
