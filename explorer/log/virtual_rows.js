/**
 * A grid of many rows, of which only those in sight are drawn. All are equally high.
 *
 * It does not move while one reads: where rows come before those in sight, it scrolls on by as much.
 */

import { html, useLayoutEffect, useRef, useState } from "../html.js";

const BEYOND = 8;

/**
 * `columns` are the headings; `count` how many rows there are and `total` of how many, -1 where that
 * is not known. `row(place)` is what is drawn, `keyOf(place)` and `placeOf(key)` name it. `grownAtTop`
 * goes up by each row put before all others, and down by each taken from there. `onOpen(place, byKey)` is
 * called when one is chosen, `onNearEnd` and `onNearTop` where one scrolls there, `onTop(isAtTop)`.
 * At the top new rows push the others down, unless `keepsPlaceAtTop`.
 */
export function VirtualRows(props) {
  const { label, columns, count, total, row, keyOf, placeOf, grownAtTop, opened } = props;
  const scroller = useRef(null);
  const [view, setView] = useState({ top: 0, height: 600, rowHeight: 32 });
  const [active, setActive] = useState(null);
  const grown = useRef(grownAtTop);

  const look = () => {
    const { scrollTop, clientHeight, firstElementChild } = scroller.current;
    const rowHeight = firstElementChild.offsetHeight || view.rowHeight;
    setView({ top: scrollTop, height: clientHeight, rowHeight });
    props.onTop(scrollTop < rowHeight / 2);
    if (scrollTop < 4 * clientHeight) props.onNearTop();
    if (scrollTop > count * rowHeight - 5 * clientHeight) props.onNearEnd();
  };

  useLayoutEffect(() => {
    const resized = new ResizeObserver(look);
    resized.observe(scroller.current);
    return () => resized.disconnect();
  }, []);
  useLayoutEffect(() => {
    const rows = grownAtTop - grown.current;
    grown.current = grownAtTop;
    const element = scroller.current;
    if (rows && (element.scrollTop > 0 || props.keepsPlaceAtTop)) element.scrollTop += rows * view.rowHeight;
    look();
  }, [grownAtTop, count]);

  const place = active === null ? -1 : placeOf(active);
  const goTo = (next) => {
    const to = Math.max(0, Math.min(count - 1, next));
    setActive(keyOf(to));
    const { scrollTop, clientHeight } = scroller.current;
    const begin = to * view.rowHeight;
    const below = begin + 2 * view.rowHeight - clientHeight; // the headings stay in sight
    if (begin < scrollTop) scroller.current.scrollTop = begin;
    else if (below > scrollTop) scroller.current.scrollTop = below;
  };
  const press = (event) => {
    const page = Math.max(1, Math.floor(view.height / view.rowHeight) - 2);
    const ways = {
      ArrowDown: place + 1, ArrowUp: place - 1, PageDown: place + page, PageUp: place - page,
      Home: 0, End: count - 1,
    };
    if (event.key in ways && count) goTo(ways[event.key]);
    else if ((event.key === "Enter" || event.key === " ") && place >= 0) props.onOpen(place, true);
    else return;
    event.preventDefault();
  };

  const first = Math.max(0, Math.floor(view.top / view.rowHeight) - BEYOND);
  const last = Math.min(count, first + Math.ceil(view.height / view.rowHeight) + 2 * BEYOND);
  const places = Array.from({ length: Math.max(0, last - first) }, (_, at) => first + at);
  const isDrawn = place >= first && place < last;
  return html`
    <div class="rows-scroller" ref=${scroller} role="grid" tabindex="0" aria-label=${label}
      aria-rowcount=${total < 0 ? -1 : total + 1} onScroll=${look} onKeyDown=${press}
      aria-activedescendant=${isDrawn ? idOf(active) : undefined}
      onFocus=${() => place < 0 && count && setActive(keyOf(first && first + BEYOND))}>
      <div class="rows-head" role="row" aria-rowindex="1">
        ${columns.map(({ name, title }) => html`<span role="columnheader" class=${name}>${title}</span>`)}
      </div>
      <div class="rows-all" role="rowgroup" style=${{ height: `${count * view.rowHeight}px` }}>
        ${places.map((each) => html`
          <div key=${keyOf(each)} id=${idOf(keyOf(each))} role="row" aria-rowindex=${each + 2}
            class="row ${each === place ? "active" : ""}" aria-selected=${keyOf(each) === opened}
            style=${{ transform: `translateY(${each * view.rowHeight}px)` }}
            onClick=${() => { setActive(keyOf(each)); props.onOpen(each, false); }}>
            ${row(each)}
          </div>
        `)}
      </div>
    </div>
  `;
}

function idOf(key) {
  return `row-${key}`;
}
