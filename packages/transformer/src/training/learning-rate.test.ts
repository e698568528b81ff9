import { describe, expect, it } from 'vitest';
import { learningRates } from './learning-rate.js';
import { trainingConfig } from './training-config.js';

const ratesOf = (training: object, steps: number) => {
  const { training: settings } = trainingConfig.schema.parse({ training });
  const rate = learningRates(settings, steps);
  return Array.from({ length: steps }, (_, step) => Number(rate(step).toFixed(6)));
};

/** What `get_*_schedule_with_warmup` of transformers give for two of six steps of warm-up. */
describe('learningRates', () => {
  const common = { learningRate: 1, warmupSteps: 2 };
  it.each([
    ['constant', [0, 0.5, 1, 1, 1, 1]],
    ['linear', [0, 0.5, 1, 0.75, 0.5, 0.25]],
    ['cosine', [0, 0.5, 1, 0.853553, 0.5, 0.146447]],
  ])('%s', (schedule, rates) => {
    expect(ratesOf({ ...common, schedule }, 6)).toEqual(rates);
  });

  it('takes a warm-up longer than the training', () => {
    expect(ratesOf({ ...common, warmupSteps: 9 }, 2)).toEqual([0, 0.5]);
  });
});
