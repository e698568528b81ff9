import * as Plot from '@observablehq/plot';
import type { Frame } from './render-figure.js';
import { groundColor, seriesColor, seriesDash, seriesInk } from './palette.js';

/** A name to be shown in the colour of its slot. */
export interface NamedSlot {
  readonly name: string;
  readonly slot: number;
}

/** About the width of a text at 12 px, in px: good enough to leave room. */
export function textWidth(text: string): number {
  let width = 0;
  for (const character of text) {
    width += /[ilj.,:;'|!()[\] ]/.test(character) ? 4.2 : /[A-Zmw@%]/.test(character) ? 9.4 : 7.4;
  }
  return width;
}

/** The text cut to a width in px, with an ellipsis when something is missing. */
export function fitText(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  const characters = [...text];
  while (characters.length > 1 && textWidth(`${characters.join('')}…`) > width) characters.pop();
  return `${characters.join('').trimEnd()}…`;
}

/** Positions moved apart to keep `gap` px between neighbours and to stay within the range. */
export function spreadPositions(
  positions: readonly number[],
  gap: number,
  [low, high]: readonly [number, number],
): number[] {
  const order = positions.map((_, index) => index).sort((a, b) => positions[a]! - positions[b]!);
  const placed = [...positions];
  let edge = low;
  for (const index of order) {
    placed[index] = Math.max(placed[index]!, edge);
    edge = placed[index]! + gap;
  }
  edge = high;
  for (const index of order.toReversed()) {
    placed[index] = Math.min(placed[index]!, edge);
    edge = placed[index]! - gap;
  }
  return placed;
}

/** Rows of a legend above a plot: as many names a row as fit the width. */
export function legendRows(names: readonly NamedSlot[], width: number): NamedSlot[][] {
  const rows: NamedSlot[][] = [];
  let room = 0;
  for (const item of names) {
    const needed = Math.min(textWidth(item.name), width - 40) + 44;
    if (rows.length === 0 || needed > room) {
      rows.push([]);
      room = width;
    }
    rows.at(-1)!.push(item);
    room -= needed;
  }
  return rows;
}

/** Height in px that a legend of so many rows takes above the plot. */
export function legendHeight(rows: readonly unknown[]): number {
  return rows.length === 0 ? 0 : rows.length * 18 + 8;
}

/** How a legend draws its keys: pieces of line, filled squares, or the dots of each series. */
export type LegendKey = 'line' | 'square' | 'dot';

/** Shapes of dots in the order of the series, so that they differ in black and white too. */
export const dotSymbols = ['circle', 'triangle', 'square', 'diamond', 'cross', 'star'] as const;

/** Marks of a legend, placed in px from the left edge of the frame and from the picture's top. */
export function legendMarks(
  rows: readonly (readonly NamedSlot[])[],
  options: { left: number; top: number; width: number; key: LegendKey },
): Plot.Markish[] {
  let index = 0;
  return rows.flatMap((row, rowIndex) => {
    let x = options.left;
    const y = options.top + rowIndex * 18;
    return row.flatMap(({ name, slot }) => {
      const text = fitText(name, options.width - 40);
      const marks = legendItem({ text, slot, x, y, key: options.key, index });
      index += 1;
      x += textWidth(text) + 44;
      return marks;
    });
  });
}

interface LegendItem {
  readonly text: string;
  readonly slot: number;
  readonly x: number;
  readonly y: number;
  readonly key: LegendKey;
  /** Of the series: its symbol. */
  readonly index: number;
}

function legendItem({ text, slot, x, y, key, index }: LegendItem): Plot.Markish[] {
  const dash = seriesDash(slot);
  const isLine = key === 'line';
  const shape = {
    d: isLine ? `M${x},${y}h22` : `M${x},${y - 5}h12v10h-12z`,
    fill: isLine ? 'none' : seriesColor(slot),
    stroke: seriesColor(slot),
    ...(isLine ? { 'stroke-width': '2.2' } : {}),
    ...(isLine && dash ? { 'stroke-dasharray': dash } : {}),
  };
  const words = {
    x: String(x + (isLine ? 28 : 18)),
    y: String(y),
    dy: '0.34em',
    'text-anchor': 'start',
    fill: seriesInk(slot),
  };
  const mark = key === 'dot' ? legendDot({ slot, x, y, index }) : fixedElement('path', shape);
  return [mark, fixedElement('text', words, text)];
}

function legendDot({ slot, x, y, index }: Omit<LegendItem, 'text' | 'key'>): Plot.Markish {
  return Plot.dot([0], {
    x: { value: [x + 6], scale: null },
    y: { value: [y], scale: null },
    symbol: dotSymbols[index % dotSymbols.length]!,
    fill: seriesColor(slot),
    r: 4.5,
  });
}

/** A mark that draws one SVG element at fixed pixels. */
function fixedElement(
  name: string,
  attributes: Readonly<Record<string, string>>,
  text?: string,
): Plot.RenderFunction {
  return (...[, , , , context]) => {
    const element = context.document.createElementNS('http://www.w3.org/2000/svg', name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text !== undefined) element.textContent = text;
    return element;
  };
}

/** Where the names of rows stand: in a column at the left, or above each row when too long. */
export interface RowLabels {
  readonly isAbove: boolean;
  /** px that the names take at the left. */
  readonly marginLeft: number;
  /** px that a name takes above its row; 0 when it stands at the left. */
  readonly above: number;
  /** The marks of the names. */
  marks(): Plot.Markish[];
}

/** Lays out the names of rows on a band axis `y` whose domain they are. */
export function rowLabels(labels: readonly string[], frame: Frame): RowLabels {
  const widest = labels.reduce((most, label) => Math.max(most, textWidth(label)), 0);
  const room = frame.width * (frame.isNarrow ? 0.36 : 0.34);
  const isAbove = widest + 14 > room;
  const marginLeft = isAbove ? 8 : widest + 14;
  const width = isAbove ? frame.width - 16 : marginLeft;
  const halo = { stroke: groundColor('surface'), strokeWidth: 4 };
  const place = isAbove
    ? { dy: -17, textAnchor: 'start' as const, ...halo }
    : { dx: -8, textAnchor: 'end' as const };
  const marks = () => [
    Plot.text(labels, {
      ...place,
      y: (label: string) => label,
      frameAnchor: 'left',
      text: (label: string) => fitText(label, width),
      title: (label: string) => label,
      fill: groundColor('ink'),
    }),
  ];
  return { isAbove, marginLeft, above: isAbove ? 18 : 0, marks };
}
