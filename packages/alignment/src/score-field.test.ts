import { selectBackend, tf } from '@lab/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { smallConfig, smallData, smallTask, smallTraining } from './__fixtures__/small-task.js';
import type { TableConfig } from './__fixtures__/table-config.js';
import { evidenceOf } from './align.js';
import { candidateTable } from './candidate-table.js';
import { createScoreField } from './score-field.js';
import { trainEpochs } from './train.js';
import type { TrainingState } from './training-state.js';

let state: TrainingState<TableConfig>;
beforeAll(async () => {
  await selectBackend('wasm');
  state = smallTraining(await smallTask(), smallConfig({ 'training.epochs': 8 }));
  await trainEpochs(state);
});
afterAll(() => state.dispose());

describe.each([3, 0])('createScoreField with CSLS of %i', (cslsNeighbours) => {
  it('has the scores, ranks and margins of the candidate table, and nothing leaks', async () => {
    state.config.evaluation.cslsNeighbours = cslsNeighbours;
    const encoding = state.learner.encode();
    const table = await candidateTable(state, { encoding });
    const before = tf.memory().numTensors;
    const field = await createScoreField(state, encoding);
    expect([...field.candidates.left]).toEqual([...table.sources]);
    for (const [row, rank] of [
      [0, 0],
      [3, 0],
      [3, 4],
      [7, 1],
    ] as const) {
      const source = table.sources[row]!;
      const target = table.targets[table.indices[row * table.width + rank]!]!;
      const scores = await field.scores(source, target);
      const evidence = evidenceOf(table, row, rank);
      expect(scores.rank).toBe(rank + 1);
      expect(scores.score).toBeCloseTo(evidence.score, 4);
      expect(scores.margin).toBeCloseTo(evidence.margin, 4);
      expect(scores.backwardMargin).toBeCloseTo(evidence.backwardMargin, 4);
      expect(scores.mutual).toBe(evidence.mutual);
      expect(scores.backwardRank === 1).toBe(scores.backwardMargin > 0);
    }
    const best = await field.best(table.sources[5]!, 3);
    const told = table.indices.slice(5 * table.width, 5 * table.width + 3);
    expect(best).toEqual(Array.from(told, (at) => table.targets[at]!));
    field.dispose();
    expect(tf.memory().numTensors).toBe(before);
    encoding.dispose();
  });
});

describe('entities with a seed', () => {
  it('are compared where they are asked for', async () => {
    const [source, target] = state.task.split.seeds as unknown as [number, number];
    const encoding = state.learner.encode();
    const field = await createScoreField(state, encoding, {
      asked: { left: [source], right: [target] },
    });
    const scores = await field.scores(source, target);
    expect(scores.rank).toBe(1);
    expect(scores.cosine).toBeGreaterThan(0.5);
    field.dispose();
    encoding.dispose();
  });

  it('do not move from where on evidence counts', async () => {
    const settings = { 'training.epochs': 3, 'evaluation.scores': 'evidence' };
    const weighed = smallTraining(await smallTask(smallData(60)), smallConfig(settings));
    await trainEpochs(weighed);
    const { seeds } = weighed.task.split;
    const side = (parity: number) => Array.from(seeds).filter((_, at) => at % 2 === parity);
    const encoding = weighed.learner.encode();
    const before = tf.memory().numTensors;
    const open = await createScoreField(weighed, encoding);
    const asked = { left: side(0), right: side(1) };
    const whole = await createScoreField(weighed, encoding, { asked });
    expect(open.thresholds).not.toBeNull();
    expect(whole.candidates.left.length).toBe(60);
    expect(whole.thresholds).toEqual(open.thresholds);
    open.dispose();
    whole.dispose();
    expect(tf.memory().numTensors).toBe(before);
    encoding.dispose();
    weighed.dispose();
  });

  it('stops when it is told to', async () => {
    const encoding = state.learner.encode();
    const before = tf.memory().numTensors;
    const signal = AbortSignal.abort();
    await expect(createScoreField(state, encoding, { signal })).rejects.toThrow();
    expect(tf.memory().numTensors).toBe(before);
    encoding.dispose();
  });
});
