import { selectBackend } from '@lab/tensor';
import { expectNoLeak } from '@lab/tensor/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { smallConfig, smallTask, smallTraining } from './__fixtures__/small-task.js';
import { analysePairs } from './analysis.js';
import { candidateTable } from './candidate-table.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

describe('analysePairs', () => {
  it.each(['exact', 'approximate'])('a search that is %s can be stopped', async (search) => {
    const state = smallTraining(await smallTask(), smallConfig({ 'evaluation.search': search }));
    const encoding = state.learner.encode();
    const table = await candidateTable(state, { encoding });
    const analyse = async (watch: object) => {
      await analysePairs(state, { encoding, table, confidence: null, ...watch });
    };
    const signal = AbortSignal.abort(new Error('enough'));
    expect(await expectNoLeak(() => analyse({ signal }))).toEqual(new Error('enough'));
    const told: object[] = [];
    await analyse({ onProgress: (progress: object) => told.push(progress) });
    expect(told.length > 0).toBe(search === 'approximate');
    encoding.dispose();
    state.dispose();
  });
});
