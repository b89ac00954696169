/** A small plot of numbers over time, each with its number now. */

import { html, useEffect, useRef } from "../html.js";

const FOLDER = new URL("../vendor/", import.meta.url);
const AXIS_WIDTH = 48;
const AXIS_HEIGHT = 22;
const SHORTEST_SECONDS = 30;
const DASHES = [[], [6, 3], [2, 2], [9, 3, 2, 3]];

let loading = null;

/** uPlot and its style, loaded when the first plot is drawn. */
function loadUPlot() {
  loading ??= Promise.all([import("../vendor/uplot.js"), loadStyle()]).then(
    ([module]) => module.default,
  );
  return loading;
}

function loadStyle() {
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = new URL("uplot.css", FOLDER);
  return new Promise((loaded, failed) => {
    link.onload = loaded;
    link.onerror = () => failed(new Error("The style of plots could not be loaded."));
    document.head.append(link);
  });
}

/**
 * Numbers over time.
 *
 * `times` are in seconds, `series` a list of `{name, values, color}`: as many values as times, null
 * where there is none, and the name of a custom property such as `--created`. `format` makes text of
 * a number. `isBare` leaves the axes out. Screen readers are told how it is now and what was most.
 */
export function Plot({ title, times, series, format = shortNumber, height = 96, isBare = false }) {
  return html`
    <figure class="plot">
      <figcaption>
        <span class="plot-title">${title}</span>
        ${series.map((each) => html`<${Now} ...${each} format=${format} isOnly=${series.length === 1} />`)}
      </figcaption>
      <${Canvas} times=${times} series=${series} format=${format} height=${height} isBare=${isBare} />
      <p class="unseen">${inWords(times, series, format)}</p>
    </figure>
  `;
}

/** A series' number now, with its name and colour. */
function Now({ name, color, values, format, isOnly }) {
  const number = values.at(-1);
  return html`
    <span class="plot-now">
      ${!isOnly && html`<span class="plot-key" style=${{ background: `var(${color})` }}></span>${name} `}
      <b>${number == null ? "–" : format(number)}</b>
    </span>
  `;
}

function inWords(times, series, format) {
  if (times.length < 2) return "Nothing is known yet.";
  const seconds = Math.round(times.at(-1) - times[0]);
  const most = series.map(({ name, values }) => {
    const known = values.filter((each) => each != null);
    return known.length ? `${name} at most ${format(Math.max(...known))}` : `${name} none`;
  });
  return `In the last ${seconds} seconds: ${most.join(", ")}.`;
}

/** What is drawn. It is drawn anew where the number of series or the colours change. */
function Canvas({ times, series, format, height, isBare }) {
  const place = useRef(null);
  const plot = useRef(null);
  const data = [times, ...series.map(({ values }) => values)];
  const newest = useRef(data);
  newest.current = data;
  const names = series.map(({ name, color }) => `${name} ${color}`).join();

  useEffect(() => {
    const { current: element } = place;
    let isWanted = true;
    const draw = (UPlot) => {
      if (!isWanted) return;
      plot.current?.destroy();
      const options = optionsOf(element, { series, format, height, isBare });
      plot.current = new UPlot(options, newest.current, element);
    };
    const drawAll = () => loadUPlot().then(draw);
    const resized = new ResizeObserver(() => {
      plot.current?.setSize({ width: element.clientWidth, height });
    });
    const isDark = matchMedia("(prefers-color-scheme: dark)");
    drawAll();
    resized.observe(element);
    isDark.addEventListener("change", drawAll);
    return () => {
      isWanted = false;
      isDark.removeEventListener("change", drawAll);
      resized.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [names, height, isBare]);

  useEffect(() => plot.current?.setData(data));
  return html`<div class="plot-canvas" aria-hidden="true" ref=${place}
    style=${{ height: `${height}px` }}></div>`;
}

function optionsOf(place, { series, format, height, isBare }) {
  const colorOf = (property) => resolvedColor(place, property);
  const axis = { stroke: colorOf("--muted"), font: "11px system-ui, sans-serif", gap: 3 };
  const lines = { stroke: colorOf("--line"), width: 1 };
  return {
    width: place.clientWidth,
    height,
    legend: { show: false },
    cursor: { show: false },
    padding: isBare ? [2, 0, 2, 0] : [8, 8, 6, 0],
    scales: {
      x: { range: (_plot, first, last) => timesShown(first, last) },
      y: { range: (_plot, _least, most) => [0, most > 0 ? most * 1.1 : 1] },
    },
    axes: [
      {
        ...axis,
        show: !isBare,
        size: AXIS_HEIGHT,
        space: 72,
        grid: { show: false },
        ticks: { ...lines, size: 4 },
        values: (_plot, splits) => splits.map(clock),
      },
      {
        ...axis,
        show: !isBare,
        size: AXIS_WIDTH,
        space: 28,
        grid: lines,
        ticks: { show: false },
        values: (_plot, splits) => splits.map(format),
      },
    ],
    series: [
      {},
      ...series.map(({ name, color }, at) => ({
        label: name,
        stroke: colorOf(color),
        dash: DASHES[at % DASHES.length],
        width: 1.5,
        points: { show: false },
      })),
    ],
  };
}

/** From when to when: at least half a minute, so that the first points stand at the right end. */
function timesShown(first, last) {
  const end = last ?? Date.now() / 1000;
  return [Math.min(first ?? end, end - SHORTEST_SECONDS), end];
}

/** The time of day, of a time in seconds. */
function clock(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString("en-GB");
}

/** A custom property as a canvas takes it: `light-dark()` and the like are worked out. */
function resolvedColor(place, property) {
  place.style.color = `var(${property})`;
  const color = getComputedStyle(place).color;
  place.style.color = "";
  return color;
}

/** A number in few characters: `0.25`, `12`, `1.2 k`, `3 M`. */
export function shortNumber(number) {
  const [divisor, unit] = [
    [1e9, " G"],
    [1e6, " M"],
    [1e3, " k"],
  ].find(([least]) => Math.abs(number) >= least) ?? [1, ""];
  return `${Number((number / divisor).toPrecision(3))}${unit}`;
}
