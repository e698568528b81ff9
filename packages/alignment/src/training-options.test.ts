import { temporaryFolder } from '@lab/core/testing';
import { selectBackend } from '@lab/tensor';
import { expect, it } from 'vitest';
import { smallResolved, smallTask } from './__fixtures__/small-task.js';
import { tableMethod } from './__fixtures__/table-method.js';
import type { TrainProgress } from './training-options.js';
import { train } from './training-run.js';

it('progress is told in small plain records that JSON keeps whole', async () => {
  await selectBackend('wasm');
  const config = smallResolved({ 'training.epochs': 1, 'evaluation.baseline': true });
  const run = { parent: temporaryFolder(), label: 'x', command: ['table'], backend: null };
  const told: TrainProgress[] = [];
  const onProgress = (progress: TrainProgress) => told.push(progress);
  const result = await train(tableMethod, { data: await smallTask(), config, run, onProgress });
  result.state.dispose();
  expect(told.map(({ stage }) => stage)).toEqual(['reading', 'ready', 'baseline', 'epoch']);
  expect(JSON.parse(JSON.stringify(told))).toEqual(told);
  expect(JSON.stringify(told).length).toBeLessThan(2000);
  expect(told[1]).toMatchObject({
    entities: { left: 40, right: 40 },
    seeds: 20,
    validationPairs: 0,
    testPairs: 20,
    modalities: result.state.learner.modalities,
    run: result.run!.dir,
  });
});
