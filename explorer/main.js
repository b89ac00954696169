/** Starts the page: what stands around every view, and the view that the address names. */

import { followLinks, href, useAddress } from "./address.js";
import { html, render, useEffect, useState } from "./html.js";
import { ask, Refused } from "./http.js";
import { Failure } from "./parts/failure.js";
import { setAccess, useAccess } from "./session.js";
import SignIn from "./views/sign_in.js";

const VIEWS = {
  home: () => import("./views/home.js"),
  items: () => import("./views/items.js"),
  item: () => import("./views/item.js"),
  edit: () => import("./views/edit.js"),
  life: () => import("./views/life.js"),
  past: () => import("./views/past.js"),
  log: () => import("./views/log.js"),
  operations: () => import("./views/operations.js"),
  tokens: () => import("./views/tokens.js"),
  try: () => import("./views/try.js"),
};

function Page() {
  const address = useAddress();
  const access = useAccess();
  const [failure, setFailure] = useState(null);

  useEffect(() => {
    if (access !== null) return;
    setFailure(null);
    ask("/").then((answer) => setAccess(answer.plain), setFailure);
  }, [access]);

  if (failure instanceof Refused && failure.status === 401) return html`<${SignIn} failure=${failure} />`;
  if (failure) return html`<main><${Failure} error=${failure} /></main>`;
  if (access === null) return null;
  if (access.access.role === null) return html`<${SignIn} />`;
  return html`
    <header class="frame"><div>
      <a class="brand" href=${href("home")}>itemstore</a>
      <nav aria-label="Places">
        <a href=${href("home")}>Items</a>
        <a href=${href("log")}>Log</a>
        <a href=${href("operations")}>Operations</a>
        <a href=${href("try")}>Try it</a>
      </nav>
    </div></header>
    <main><${View} ...${address} /></main>
  `;
}

/** The view of that name, with what else the address says. */
function View({ view, ...parameters }) {
  const [loaded, setLoaded] = useState(null);
  useEffect(() => {
    let isWanted = true;
    const load = VIEWS[view] ?? VIEWS.home;
    load().then(
      (module) => isWanted && setLoaded({ view, component: module.default }),
      (error) => isWanted && setLoaded({ view, error }),
    );
    return () => {
      isWanted = false;
    };
  }, [view]);
  if (loaded?.view !== view) return null;
  if (loaded.error) return html`<${Failure} error=${loaded.error} />`;
  return html`<${loaded.component} ...${parameters} />`;
}

followLinks();
render(html`<${Page} />`, document.getElementById("page"));
