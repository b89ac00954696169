/**
 * The page's address: `explorer?view=life&collection=orders&id=a%2Fb`.
 *
 * All that a view needs to be shown again stands in it, so that every view can be linked, reloaded
 * and gone back to. A link is a plain `<a href>`; `followLinks` saves loading the page again.
 */

import { useEffect, useState } from "./html.js";
import { leave, newStep } from "./scroll.js";

/** Where the API is: the page stands at `<root>explorer`, wherever the store is mounted. */
export const ROOT = new URL(".", location.href);

const CHANGED = "addresschanged";

/** What the address says, as an object; `view` is `home` where it names none. */
export function current() {
  return { view: "home", ...Object.fromEntries(new URLSearchParams(location.search)) };
}

/** The address of a view, for `<a href>`. What is null, undefined or "" is left out. */
export function href(view, parameters = {}) {
  const kept = Object.entries(parameters).filter(([, value]) => value != null && value !== "");
  return `?${new URLSearchParams([["view", view], ...kept])}`;
}

/** Goes to a view. `replace` leaves no step to go back to: for what changes while one types. */
export function go(view, parameters = {}, { replace = false } = {}) {
  follow(href(view, parameters), replace);
}

let mayLeave = () => true;
let shown = location.search;

/**
 * Asks `mayLeave()` before another view is shown, by a link, a button or the browser's back and
 * forward; false stays. Null asks no more.
 */
export function askBeforeLeaving(question) {
  mayLeave = question ?? (() => true);
}

function follow(address, replace) {
  if (!mayLeave()) return;
  if (replace) {
    history.replaceState(history.state, "", address);
  } else {
    leave();
    history.pushState(newStep(), "", address);
    scrollTo(0, 0);
  }
  shown = location.search;
  dispatchEvent(new Event(CHANGED));
}

/** What the address says, now and whenever it changes. */
export function useAddress() {
  const [address, setAddress] = useState(current);
  useEffect(() => {
    const look = () => setAddress(current());
    addEventListener(CHANGED, look);
    return () => removeEventListener(CHANGED, look);
  }, []);
  return address;
}

/** Lets plain clicks on links within the page change the address only, and back and forward too. */
export function followLinks() {
  addEventListener("popstate", cameBack);
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.('a[href^="?"]');
    const isPlain = !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
    if (link && isPlain && event.button === 0 && !link.target && !event.defaultPrevented) {
      event.preventDefault();
      follow(link.getAttribute("href"), false);
    }
  });
}

/** Back or forward: the address is the other one already, and is put right where one stays. */
function cameBack() {
  if (location.search === shown) return;
  if (!mayLeave()) {
    history.pushState(newStep(), "", shown);
    return;
  }
  shown = location.search;
  dispatchEvent(new Event(CHANGED));
}
