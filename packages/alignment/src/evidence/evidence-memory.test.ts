import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createRandom } from '@lab/core';
import { selectBackend } from '@lab/tensor';
import { beforeAll, describe, expect, it } from 'vitest';
import { smallConfig, smallData, smallTask, smallTraining } from '../__fixtures__/small-task.js';
import { evaluateModel } from '../evaluate.js';
import { expectedEvidenceBytes } from './evidence-memory.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

/** Bytes of arrays and objects that are in use while `work` looks at its signal, at most. */
async function heldBy(work: (signal: AbortSignal) => Promise<unknown>): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const used = () => {
    const { arrayBuffers, heapUsed } = process.memoryUsage();
    return arrayBuffers + heapUsed;
  };
  // Arrays that other tests left are given back in the background: until no more come.
  let before = Number.POSITIVE_INFINITY;
  for (let rounds = 0; rounds < 20; rounds += 1) {
    collect();
    await new Promise(setImmediate);
    if (used() > before - 2 ** 16) break;
    before = used();
  }
  let most = before;
  const throwIfAborted = () => {
    if (used() <= most + 2 ** 20) return; // a collection takes its time
    collect(); // what is still there is held
    most = Math.max(most, used());
  };
  await work({ aborted: false, throwIfAborted } as AbortSignal);
  return most - before;
}

describe('expectedEvidenceBytes', () => {
  it('meets what an evaluation holds within 0.3', async () => {
    const task = await smallTask(smallData(700));
    const config = smallConfig({ 'evaluation.scores': 'evidence', 'evaluation.candidates': 'all' });
    const state = smallTraining(task, config);
    const pairs = task.split.test;
    const held = await heldBy((signal) =>
      evaluateModel(state, { pairs, random: createRandom(1), signal }),
    );
    const { tableSize, featureSize } = config.model;
    const widths = [featureSize, featureSize, tableSize, 2 * featureSize + tableSize];
    const foreseen = expectedEvidenceBytes(task, config, widths);
    expect(state.learner.modalities).toHaveLength(3);
    const garbage = 1.15; // what is foreseen includes some, what was collected is not held
    expect(Math.abs(foreseen / (garbage * held) - 1)).toBeLessThan(0.3);
    state.dispose();
  });

  it('is nothing where no evidence is weighed, and grows with what is compared', async () => {
    const task = await smallTask(smallData(100));
    const bytes = (settings: object) =>
      expectedEvidenceBytes(
        task,
        smallConfig({ 'evaluation.scores': 'evidence', ...settings }),
        [6, 12, 18],
      );
    expect(bytes({ 'evaluation.scores': 'fused' })).toBe(0);
    expect(bytes({ 'evaluation.enabled': false })).toBe(0);
    expect(bytes({ 'evaluation.search': 'approximate' })).toBe(0);
    expect(bytes({})).toBeGreaterThan(0);
    expect(bytes({ 'evaluation.candidates': 'all' })).toBeCloseTo(2 * bytes({}), 6);
  });

  it('counts the test pairs where all entities are too many', async () => {
    const { data, split } = await smallTask(smallData(100));
    const many = { ...data, left: new Int32Array(70_000), right: new Int32Array(70_000) };
    const config = smallConfig({ 'evaluation.scores': 'evidence' });
    const bytes = expectedEvidenceBytes({ data: many, split }, config, [6]);
    expect(bytes).toBe(expectedEvidenceBytes({ data, split }, config, [6]));
  });
});
