import * as Plot from '@observablehq/plot';
import { axisLabel, axisTicks, type DrawnAxis } from './axis.js';
import { groundColor } from './palette.js';
import { textWidth } from './series-labels.js';

/** px at the left that the ticks of a vertical axis take. */
export function tickRoom(y: DrawnAxis): number {
  const { ticks, tickFormat } = axisTicks(y);
  const widest = ticks.reduce((most, tick) => Math.max(most, textWidth(tickFormat(tick))), 0);
  return Math.max(46, Math.ceil(widest) + 16);
}

/** px at the right that half of the last tick of a horizontal axis may take. */
export function lastTickRoom(x: DrawnAxis): number {
  const { ticks, tickFormat } = axisTicks(x);
  const last = ticks.at(-1);
  return Math.max(18, last === undefined ? 0 : Math.ceil(textWidth(tickFormat(last)) / 2) + 4);
}

const words = () => ({ fill: groundColor('muted'), tickSize: 0, labelArrow: 'none' as const });

/** Grid and axis of values that run from left to right, for plots whose rows have names. */
export function valueAxisMarks(x: DrawnAxis): Plot.Markish[] {
  const ticks = axisTicks(x);
  return [
    Plot.gridX({ stroke: groundColor('rule'), strokeOpacity: 0.7, ticks: ticks.ticks }),
    Plot.axisX({ ...words(), label: axisLabel(x.axis), ...ticks }),
  ];
}

/** Grid and axes in the house's manner: rules behind, labels in words, no arrows. */
export function axisMarks(x: DrawnAxis, y: DrawnAxis): Plot.Markish[] {
  const yTicks = axisTicks(y);
  return [
    Plot.gridY({ stroke: groundColor('rule'), strokeOpacity: 0.7, ticks: yTicks.ticks }),
    Plot.axisY({ ...words(), label: axisLabel(y.axis), ...yTicks }),
    Plot.axisX({ ...words(), label: axisLabel(x.axis), ...axisTicks(x) }),
  ];
}
