/**
 * Figures of the states themselves.
 */
import { meanDeviation } from '@lab/metrics';
import { type CaptionedFigure, pca, scatterPanels } from '@lab/report';
import type { Config } from '../config.js';
import { splitsOf } from '../explain.js';
import { shareSamples } from '../probe-input.js';
import { fitProbe, trainingRows } from '../probes.js';
import { pickedRows, rowOf } from '../state-rows.js';
import type { StateStore } from '../state-store.js';

/** Panels of a figure, and points of a class in each, at most. */
const PANELS = 12;
const POINTS = 120;

/** States shown where not all fit: spread evenly, the first and the last among them. */
export function spreadStates(stateCount: number, most = PANELS): number[] {
  if (stateCount <= most) return Array.from({ length: stateCount }, (_, state) => state);
  return Array.from({ length: most }, (_, at) => Math.round((at * (stateCount - 1)) / (most - 1)));
}

/** Of some rows so many of each class at most, evenly from their begin to their end. */
function sampledRows({ labels, about }: StateStore, rows: readonly number[]): number[] {
  return about.classes.flatMap((_, label) => {
    const own = rows.filter((row) => labels[row] === label);
    const step = Math.max(1, own.length / POINTS);
    const count = Math.min(own.length, POINTS);
    return Array.from({ length: count }, (_row, at) => own[Math.floor(at * step)]!);
  });
}

interface PlacedRow {
  readonly label: number;
  readonly x: number;
  readonly y: number;
}

/** A panel of one state: a colour a class. */
const panelOf = (state: number, classes: readonly string[], placed: readonly PlacedRow[]) => ({
  title: `state ${state}`,
  series: classes.map((name, label) => ({
    name,
    points: placed.flatMap((one) => (one.label === label ? [{ x: one.x, y: one.y }] : [])),
  })),
});

/**
 * The classes in the plane of the two principal components, state by state.
 *
 * Where all rows of a state are the same, as at state 0 under a chat format, its panel has one
 * point.
 */
export async function planeFigure(store: StateStore): Promise<CaptionedFigure> {
  const rows = sampledRows(store, [...store.labels.keys()]);
  const { width, labels, about } = store;
  const sampled = pickedRows(store, rows);
  const panels = [];
  for (const state of spreadStates(store.stateCount)) {
    const values = Float64Array.from(await sampled.readState(state));
    const count = Math.min(2, width);
    const { projected } = pca({ rowCount: rows.length, columnCount: width, values }, count);
    const placed = rows.map((row, at) => ({
      ...{ label: labels[row]!, x: projected[count * at]! },
      y: count > 1 ? projected[count * at + 1]! : 0,
    }));
    panels.push(panelOf(state, about.classes, placed));
  }
  return {
    figure: scatterPanels({ title: 'Classes in the plane', panels, columns: 4 }),
    caption:
      'Rows of each state along their two principal components, each panel on its own scale; at ' +
      `most ${POINTS} prompts a class. Classes that lie apart here are easy for any probe.`,
  };
}

/**
 * Held-out rows of two classes along the direction of an LDA that other rows gave, and along their
 * first principal component; null for more classes, and where no state has a direction.
 */
export async function directionFigure(
  store: StateStore,
  config: Config,
): Promise<CaptionedFigure | null> {
  const { about, labels, width } = store;
  if (about.classes.length !== 2) return null;
  const { train, test } = splitsOf({ store, config })[0]!;
  const [fitted, held] = [sampledRows(store, [...train]), sampledRows(store, [...test])];
  const all = pickedRows(store, [...fitted, ...held]);
  const own = Int32Array.from([...fitted, ...held], (row) => labels[row]!);
  const panels = [];
  for (const state of spreadStates(store.stateCount)) {
    const values = await all.readState(state);
    const rows = { rowCount: own.length, columnCount: width, values };
    const samples = shareSamples({ rows, labels: own });
    const training = trainingRows(samples, about.classes, Int32Array.from(fitted.keys()));
    const direction = (await fitProbe('lda', training, { settings: config })).direction();
    if (direction === null) continue;
    const shown = Float64Array.from(values.subarray(fitted.length * width));
    const { projected } = pca({ rowCount: held.length, columnCount: width, values: shown }, 1);
    const along = held.map((_, at) =>
      rowOf(values, fitted.length + at, width).reduce(
        (sum, one, d) => sum + one * direction[d]!,
        0,
      ),
    );
    const [x, y] = [inDeviations(along), inDeviations(projected)];
    const placed = held.map((row, at) => ({ label: labels[row]!, x: x[at]!, y: y[at]! }));
    panels.push(panelOf(state, about.classes, placed));
  }
  if (panels.length === 0) return null;
  return {
    figure: scatterPanels({ title: 'Classes along a direction', panels, columns: 4 }),
    caption:
      'Held-out rows: across, along the direction of an LDA that training rows gave; up, along ' +
      'their first principal component, both in units of their deviation. Classes that part here ' +
      'and not above differ along a direction of little variance.',
  };
}

/** Values about their mean, in units of their deviation. */
function inDeviations(values: ArrayLike<number>): number[] {
  const { mean, deviation } = meanDeviation(values);
  return Array.from(values, (value) => (value - mean) / (deviation || 1));
}
