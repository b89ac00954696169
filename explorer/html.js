/** What a module of the page needs of Preact: templates, hooks and drawing, under one name. */

import { createContext, h, render } from "./vendor/preact.js";
import htm from "./vendor/htm.js";

export { createContext, render };
export {
  useCallback,
  useContext,
  useEffect,
  useErrorBoundary,
  useId,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from "./vendor/hooks.js";

/** Markup as a tagged template. What stands in `${}` is text, never markup. */
export const html = htm.bind(h);
