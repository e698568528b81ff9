/**
 * Figures of the states themselves.
 */
import { type CaptionedFigure, pca, scatterPanels } from '@lab/report';
import type { StateStore } from '../state-store.js';

/** Panels of a figure, and points of a class in each, at most. */
const PANELS = 12;
const POINTS = 120;

/** States shown where not all fit: spread evenly, the first and the last among them. */
export function spreadStates(stateCount: number, most = PANELS): number[] {
  if (stateCount <= most) return Array.from({ length: stateCount }, (_, state) => state);
  return Array.from({ length: most }, (_, at) => Math.round((at * (stateCount - 1)) / (most - 1)));
}

/** Rows of each class, so many at most, evenly from its begin to its end. */
function sampledRows({ labels, about }: StateStore): number[] {
  return about.classes.flatMap((_, label) => {
    const own = [...labels.keys()].filter((row) => labels[row] === label);
    const step = Math.max(1, own.length / POINTS);
    const count = Math.min(own.length, POINTS);
    return Array.from({ length: count }, (_, at) => own[Math.floor(at * step)]!);
  });
}

/**
 * The classes in the plane of the two principal components, state by state.
 *
 * Where all rows of a state are the same, as at state 0 under a chat format, its panel has one
 * point.
 */
export async function planeFigure(store: StateStore): Promise<CaptionedFigure> {
  const rows = sampledRows(store);
  const { width, labels, about } = store;
  const panels = [];
  for (const state of spreadStates(store.stateCount)) {
    const all = await store.readState(state);
    const values = new Float64Array(rows.length * width);
    for (const [at, row] of rows.entries()) {
      values.set(all.subarray(row * width, (row + 1) * width), at * width);
    }
    const count = Math.min(2, width);
    const { projected } = pca({ rowCount: rows.length, columnCount: width, values }, count);
    const series = about.classes.map((name, label) => ({
      name,
      points: rows.flatMap((row, at) => {
        const [x, y] = [projected[count * at]!, count > 1 ? projected[count * at + 1]! : 0];
        return labels[row] === label ? [{ x, y }] : [];
      }),
    }));
    panels.push({ title: `state ${state}`, series });
  }
  return {
    figure: scatterPanels({ title: 'Classes in the plane', panels, columns: 4 }),
    caption:
      'Rows of each state along their two principal components, each panel on its own scale; at ' +
      `most ${POINTS} prompts a class. Classes that lie apart here are easy for any probe.`,
  };
}
