/** The view that the address names, loaded when it is first wanted. */

import { noteAway, useBack } from "../connection.js";
import { html, useCallback, useEffect, useRef, useState } from "../html.js";
import { Unreachable } from "../http.js";
import { useAccess } from "../session.js";
import { Boundary, Broken } from "./boundary.js";
import { focusOnHeading } from "./heading_focus.js";
import { Nowhere, whyNowhere } from "./nowhere.js";

const VIEWS = {
  home: () => import("../views/home.js"),
  items: () => import("../views/items.js"),
  item: () => import("../views/item.js"),
  edit: () => import("../views/edit.js"),
  life: () => import("../views/life.js"),
  past: () => import("../views/past.js"),
  log: () => import("../views/log.js"),
  operations: () => import("../views/operations.js"),
  tokens: () => import("../views/tokens.js"),
  try: () => import("../views/try.js"),
};

/** `view` is its name; what else the address says is for the view. Another one stays until it is there. */
export function ShownView({ view, ...parameters }) {
  const [loaded, setLoaded] = useState(null);
  const [round, setRound] = useState(0);
  const last = useRef(null);
  useEffect(() => {
    let isWanted = true;
    const found = (what) => isWanted && setLoaded({ view, ...what });
    const missed = (error) => {
      found({ error });
      noteAway(new Unreachable()); // if it is: else there is something wrong with the file
    };
    viewOf(view).then((component) => found({ component }), missed);
    return () => {
      isWanted = false;
    };
  }, [view, round]);
  const again = useCallback(() => setRound((before) => before + 1), []);
  useBack(useCallback(() => loaded?.error && again(), [loaded]));
  if (loaded?.view === view) last.current = { ...loaded, parameters };
  if (last.current === null) return null;
  return html`<${Shown} ...${last.current} onRetry=${again} />`;
}

async function viewOf(name) {
  return Object.hasOwn(VIEWS, name) ? (await VIEWS[name]()).default : Unknown;
}

function Shown({ view, component, error, parameters, onRetry }) {
  // Another item is another view: nothing of the one before stays.
  const key = JSON.stringify([view, parameters.collection, parameters.id]);
  const first = useRef(key);
  useEffect(() => {
    if (key === first.current) return;
    first.current = null;
    return focusOnHeading();
  }, [key]);
  const { collections } = useAccess();
  const why = whyNowhere(view, parameters, collections);
  if (why) return html`<${Nowhere} why=${why} />`;
  if (error) return html`<${Broken} error=${error} why="Its file did not come." onRetry=${onRetry} />`;
  return html`<${Boundary} key=${key}><${component} ...${parameters} /><//>`;
}

function Unknown() {
  const why = "The address names a view that this explorer does not have. It may be of another version.";
  return html`<${Nowhere} heading="There is no such view" why=${why} />`;
}
