/** What Swagger UI lacks for keyboards and screen readers, mended as it draws. */

/** What is at fault, and what mends it; whatever was mended is no longer at fault. */
const FAULTS = [
  ["select:not([aria-label])", named],
  ["textarea:not([aria-label])", named],
  [".copy-to-clipboard > button:not([aria-label])", (button) => (button.ariaLabel = "Copy")],
  ["h3.opblock-tag:not([aria-level])", (heading) => (heading.ariaLevel = "2")], // below the title
  ["pre.microlight:not([tabindex])", (text) => (text.tabIndex = 0)], // it can be scrolled
];

/** Mends what is drawn inside of an element, now and later. */
export function mendWhatIsDrawnIn(place) {
  new MutationObserver(() => mend(place)).observe(place, { childList: true, subtree: true });
}

function mend(place) {
  for (const [selector, mended] of FAULTS) place.querySelectorAll(selector).forEach(mended);
}

function named(field) {
  const parameter = field.closest("[data-param-name]")?.dataset.paramName;
  field.ariaLabel = field.labels[0]?.textContent.trim() || parameter || nameByPlace(field);
}

function nameByPlace(field) {
  const isType = field.closest(".content-type-wrapper, .response-content-type, .body-param-content-type");
  return isType ? "Media type" : "Request body";
}

/**
 * A plugin of Swagger UI: the path of an operation is text. As a link within the button that opens
 * the operation it could not be reached.
 */
export const pathsAreText = ({ React }) => ({
  wrapComponents: { DeepLink: () => ({ text }) => React.createElement("span", null, text) },
});
