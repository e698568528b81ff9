import { selectBackend } from '@lab/tensor';
import { beforeAll, describe, expect, it } from 'vitest';
import { smallData, smallTask } from './__fixtures__/small-task.js';
import { tableMethod } from './__fixtures__/table-method.js';
import type { AlignmentMethod } from './method.js';
import { expectedTime } from './time-estimate.js';
import { settingsOf } from './training-run.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

/** A method whose steps take as long on the clock as they are said to, and that clock. */
function timedMethod(secondsOf: (entities: number, seeds: number) => number) {
  const clock = { seconds: 0 };
  const method: AlignmentMethod = {
    ...tableMethod,
    createLearner: (task, config, random) => {
      const learner = tableMethod.createLearner(task, config as never, random);
      return {
        ...learner,
        get optimizer() {
          return learner.optimizer;
        },
        step: async ({ seeds }) => {
          clock.seconds += secondsOf(task.data.entityCount, seeds.length / 2);
          return { learningRate: 1, loss: 0 };
        },
      };
    },
  } as AlignmentMethod;
  return { method, now: () => clock.seconds };
}

const configOf = (epochs: number) =>
  settingsOf(tableMethod, { epochs, settings: { 'evaluation.every': epochs } }).config;

describe('expectedTime', () => {
  it('is that of all epochs where a step on the whole is short', async () => {
    const task = await smallTask();
    const { method, now } = timedMethod(() => 0.5);
    const found = await expectedTime(method, task, { config: configOf(7), now });
    expect(found).toEqual({
      epochSeconds: 0.5,
      evaluationSeconds: 0,
      trainingSeconds: 3.5,
      measuredEntities: 80,
    });
  });

  it('follows from parts of the graphs where the whole would take too long', async () => {
    const task = await smallTask({ ...smallData(6000), images: null });
    // 0.1 ms an entity and 1 us a squared pair.
    const { method, now } = timedMethod((n, seeds) => n * 1e-4 + seeds ** 2 * 1e-6);
    const config = configOf(10);
    const found = await expectedTime(method, task, { config, now, budgetSeconds: 10 });
    const seeds = task.split.seeds.length / 2;
    const batches = Math.ceil(seeds / config.training.batchSize);
    const pairs = batches * (seeds / batches) ** 2;
    const truth = 12_000 * 1e-4 + pairs * 1e-6;
    expect(found.measuredEntities).toBe(5000);
    expect(Math.abs(found.epochSeconds / truth - 1)).toBeLessThan(0.3);
  });

  it('measures parts with the settings that the whole will have', async () => {
    const task = await smallTask({ ...smallData(6000), images: null });
    const { method, now } = timedMethod((n) => n * 1e-4);
    const rates = new Set<number>();
    const settling: AlignmentMethod = {
      ...method,
      settle: ({ data }, config) => ({
        ...config,
        training: { ...config.training, learningRate: data.entityCount },
      }),
      createLearner: (part, config, random) => {
        rates.add(config.training.learningRate);
        return method.createLearner(part, config, random);
      },
    };
    await expectedTime(settling, task, { config: configOf(10), now, budgetSeconds: 1 });
    expect([...rates]).toEqual([12_000]);
  });
});
