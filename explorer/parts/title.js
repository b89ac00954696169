/** The document's title: what tabs, bookmarks and the list of earlier pages show. */

import { useEffect } from "../html.js";

const SITE = "itemstore";

/** Names what the view shows, as in `a/b · orders`. */
export function useTitle(text) {
  useEffect(() => {
    document.title = text ? `${text} · ${SITE}` : SITE;
  }, [text]);
}
