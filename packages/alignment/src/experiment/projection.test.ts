import { readFileSync } from 'node:fs';
import { temporaryFolder } from '@lab/core/testing';
import { selectBackend, tf } from '@lab/tensor';
import { beforeAll, describe, expect, it } from 'vitest';
import { smallResolved, smallTask } from '../__fixtures__/small-task.js';
import { tableMethod } from '../__fixtures__/table-method.js';
import { train } from '../training-run.js';
import type { AblationCell } from './cell.js';
import {
  layOutPairs,
  projectionFigure,
  projectionPath,
  readProjectionFigure,
  writeProjection,
} from './projection.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

const cell: AblationCell = { id: 'projection/plain', label: 'plain', set: {}, isProjected: true };

async function trained() {
  const task = await smallTask();
  const config = smallResolved({ 'training.epochs': 1 });
  return (await train(tableMethod, { data: task, config })).state;
}

describe('layOutPairs', () => {
  it('places every test pair by each modality and fused, and leaks nothing', async () => {
    const state = await trained();
    const before = tf.memory().numTensors;
    const layouts = await layOutPairs(state);
    expect(tf.memory().numTensors).toBe(before);
    expect(layouts.map(({ vectors }) => vectors)).toEqual([
      'attributes',
      'relations',
      'graph',
      'all fused',
    ]);
    for (const { positions } of layouts) {
      expect(positions).toHaveLength(2 * state.task.split.test.length);
      expect(positions.every(Number.isFinite)).toBe(true);
    }
    expect(await layOutPairs(state)).toEqual(layouts);
    state.dispose();
  });

  it('keeps a file from which the figure is drawn', async () => {
    const state = await trained();
    const dir = temporaryFolder();
    await writeProjection(dir, cell, state);
    expect(readFileSync(projectionPath(dir, cell), 'utf8')).toContain('"vectors":"graph"');
    const figure = readProjectionFigure(dir, 'Planes', [cell]);
    expect(figure.svg).toContain('graph, plain');
    state.dispose();
  });
});

describe('projectionFigure', () => {
  it('joins each entity with its counterpart', () => {
    const layouts = [{ vectors: 'graph', positions: [0, 0, 1, 1, 5, 5, 6, 6] }];
    const figure = projectionFigure('Planes', [{ name: 'plain', layouts }]);
    const lines = figure.csv.trim().split('\r\n');
    expect(lines).toContain('"graph, plain",KG1,1,1,1');
    expect(lines).toContain('"graph, plain",KG2,6,6,');
    expect(figure.description).toContain('2 test pairs');
  });
});
