/**
 * How far each step of the tab's history was scrolled: going back leads to the same place.
 *
 * The browser can't do it by itself, as a view is only as long as before once it has its data.
 */

const KEY = "itemstore-scrolled";
const STEPS_KEPT = 100;
const LOADING_MS = 4000;
const SIGNS_OF_PEOPLE = ["wheel", "touchstart", "pointerdown", "keydown"];

const scrolled = new Map(JSON.parse(sessionStorage.getItem(KEY) ?? "[]"));
let step = null;
let stopReturning = () => {};

/** The state of a step of the history that is new. */
export function newStep() {
  step = `${Date.now()}-${Math.random()}`;
  return { step };
}

/** Notes how far the step is scrolled that is about to be left. */
export function leave() {
  stopReturning();
  scrolled.delete(step);
  scrolled.set(step, scrollY);
}

/** Starts it, before anything else listens to the history. */
export function keepScroll() {
  history.scrollRestoration = "manual";
  if (history.state?.step) arrive();
  else history.replaceState(newStep(), "");
  addEventListener("popstate", () => {
    leave();
    arrive();
  });
  addEventListener("pagehide", () => {
    leave();
    sessionStorage.setItem(KEY, JSON.stringify([...scrolled].slice(-STEPS_KEPT)));
  });
}

function arrive() {
  step = history.state?.step;
  returnTo(scrolled.get(step) ?? 0);
}

/** Scrolls there, again whenever the page grows, until people scroll or its data should be there. */
function returnTo(top) {
  const growth = new ResizeObserver(() => scrollTo(0, top));
  const timer = setTimeout(() => stopReturning(), LOADING_MS);
  stopReturning = () => {
    growth.disconnect();
    clearTimeout(timer);
    SIGNS_OF_PEOPLE.forEach((name) => removeEventListener(name, stopReturning));
    stopReturning = () => {};
  };
  SIGNS_OF_PEOPLE.forEach((name) => addEventListener(name, stopReturning, { passive: true }));
  growth.observe(document.body);
}
