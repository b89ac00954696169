/** After a change of view the focus is on its heading, so that screen readers begin there. */

/** Moves it there as soon as there is one, but not away from content. Returns what gives up waiting. */
export function focusOnHeading() {
  return whenThere("main h1", (heading) => {
    if (document.activeElement?.closest("main > *")) return;
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
  });
}

function whenThere(selector, act) {
  const look = () => {
    const found = document.querySelector(selector);
    if (found) watch.disconnect();
    if (found) act(found);
  };
  const watch = new MutationObserver(look);
  watch.observe(document.body, { childList: true, subtree: true });
  look();
  return () => watch.disconnect();
}
