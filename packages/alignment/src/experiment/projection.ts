/**
 * Vectors of test pairs laid out in the plane, per modality and fused, by t-SNE.
 */
import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { createRandom, writeFileAtomic } from '@lab/core';
import { type Figure, type Panel, scatterPanels, tSne } from '@lab/report';
import { tf } from '@lab/tensor';
import type { TrainingState } from '../training-state.js';
import { type AblationCell, modalityWords } from './cell.js';

/** Most pairs that are laid out; every k-th is taken beyond. */
const MOST_PAIRS = 250;

/** The places of some test pairs: x and y of the left entities, then of their counterparts. */
export interface PlaneLayout {
  /** What the vectors are: a modality in words, or all fused. */
  readonly vectors: string;
  /** `[2 * P * 2]`: left entities, then right ones in the same order. */
  readonly positions: readonly number[];
}

/** The file that holds the layouts of a cell. */
export function projectionPath(dir: string, cell: AblationCell): string {
  return join(dir, `${cell.id.replaceAll('/', '-')}.json`);
}

/**
 * Layouts of the vectors of every modality and of the fused ones, without noise and of unit length,
 * so that near means similar in the model's own measure.
 */
export async function layOutPairs(state: TrainingState): Promise<PlaneLayout[]> {
  const { learner, config, task } = state;
  const { test } = task.split;
  const stride = Math.ceil(test.length / 2 / MOST_PAIRS);
  const sampled = Array.from({ length: Math.floor(test.length / 2) }, (_, at) => at).filter(
    (at) => at % stride === 0,
  );
  const left = Int32Array.from(sampled, (at) => test[2 * at]!);
  const right = Int32Array.from(sampled, (at) => test[2 * at + 1]!);
  const random = createRandom(config.seed).fork('projection');
  const encoding = learner.encode();
  const layouts: PlaneLayout[] = [];
  const layOut = async (vectors: string, rows: tf.Tensor2D) => {
    const [rowCount, columnCount] = rows.shape;
    const points = { rowCount, columnCount, values: await rows.data() };
    rows.dispose();
    const { positions } = tSne(points, { random: random.fork(vectors) });
    layouts.push({ vectors, positions: Array.from(positions, (x) => Number(x.toPrecision(5))) });
  };
  for (const modality of learner.modalities) {
    const both = Int32Array.of(...left, ...right);
    await layOut(modalityWords[modality], await encoding.modalityRows(modality, both));
  }
  const sides = await encoding.embed({ left, right }, null);
  await layOut('all fused', tf.concat([sides.left[0]!, sides.right[0]!], 0) as tf.Tensor2D);
  sides.dispose();
  encoding.dispose();
  return layouts;
}

/** Keeps the layouts of a cell, to be drawn when all cells are done. */
export async function writeProjection(
  dir: string,
  cell: AblationCell,
  state: TrainingState,
): Promise<void> {
  const layouts = await layOutPairs(state);
  writeFileAtomic(projectionPath(dir, cell), `${JSON.stringify({ layouts })}\n`);
}

/** The layouts of the cells, a row of panels each, both graphs coloured and true pairs joined. */
export function projectionFigure(
  title: string,
  trainings: readonly { readonly name: string; readonly layouts: readonly PlaneLayout[] }[],
): Figure {
  const panels = trainings.flatMap(({ name, layouts }) =>
    layouts.map((layout) => panelOf(`${layout.vectors}, ${name}`, layout.positions)),
  );
  const columns = Math.max(...trainings.map(({ layouts }) => layouts.length), 1);
  const pairs = (panels[0]?.series[0]?.points.length ?? 0).toString();
  const names = trainings.map(({ name }) => name).join(' and ');
  return scatterPanels({
    title,
    columns,
    panels,
    description:
      `t-SNE layouts of the vectors of ${pairs} test pairs, trained with ${names}: each entity ` +
      'and its true counterpart are joined. Short lines are pairs that the vectors bring together.',
  });
}

function panelOf(title: string, positions: readonly number[]): Panel {
  const count = positions.length / 4;
  const point = (at: number) => ({ x: positions[2 * at]!, y: positions[2 * at + 1]! });
  return {
    title,
    series: [
      {
        name: 'KG1',
        points: Array.from({ length: count }, (_, at) => ({ ...point(at), pair: at })),
      },
      { name: 'KG2', points: Array.from({ length: count }, (_, at) => point(count + at)) },
    ],
  };
}

/** The figure of cells whose layouts were kept. */
export function readProjectionFigure(
  dir: string,
  title: string,
  cells: readonly AblationCell[],
): Figure {
  const trainings = cells.map((cell) => {
    const text = readFileSync(projectionPath(dir, cell), 'utf8');
    const { layouts } = JSON.parse(text) as { layouts: PlaneLayout[] };
    return { name: cell.id.split('/').at(-1)!, layouts };
  });
  return projectionFigure(title, trainings);
}
