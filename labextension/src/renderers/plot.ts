/**
 * A line plot. It is a chunk of its own, fetched from the site when the first plot is shown.
 */
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

import { visible } from './dom';
import type { Series } from './series';

const HEIGHT = 240;
/** Colours of the lines. Their dashes differ too. */
const COLORS = [
  '--jp-brand-color1',
  '--jp-warn-color1',
  '--jp-success-color1',
  '--jp-error-color1',
  '--jp-info-color1',
  '--jp-accent-color1',
];
const DASHES = [[], [6, 3], [2, 2], [10, 3, 2, 3]];

/** Draws a plot into `box`, with its width and in the theme's colours. */
export function plot(box: HTMLElement, series: Series): { destroy(): void } {
  const style = getComputedStyle(box);
  const color = (name: string, instead: string): string => style.getPropertyValue(name).trim() || instead;
  const axis = {
    stroke: color('--jp-ui-font-color1', 'currentColor'),
    grid: { stroke: color('--jp-border-color2', '#8884') },
    ticks: { stroke: color('--jp-border-color1', '#888') },
  };
  const chart = new uPlot(
    {
      width: Math.max(box.clientWidth, 200),
      height: HEIGHT,
      scales: { x: { time: false } },
      axes: [axis, axis],
      series: [
        { label: visible(series.x.name, 100) || '#' },
        ...series.lines.map((line, i) => ({
          label: visible(line.name, 100),
          stroke: color(COLORS[i % COLORS.length], 'currentColor'),
          dash: DASHES[Math.floor(i / COLORS.length) % DASHES.length],
          width: 2,
        })),
      ],
    },
    [series.x.values, ...series.lines.map(line => line.values)],
    box,
  );
  const observer = new ResizeObserver(() => {
    if (box.clientWidth > 0 && box.clientWidth !== chart.width) {
      chart.setSize({ width: box.clientWidth, height: HEIGHT });
    }
  });
  observer.observe(box);
  return {
    destroy: () => {
      observer.disconnect();
      chart.destroy();
    },
  };
}
