import { InterruptedError } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { selectBackend } from '@lab/tensor';
import { beforeAll, describe, expect, it } from 'vitest';
import { smallResolved, smallTask } from './__fixtures__/small-task.js';
import { train } from './library.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

/** Settings of the stage with pseudo seeds from epoch 2 on. */
const late = {
  'pseudoSeeds.enabled': true,
  'pseudoSeeds.start': 2,
  'pseudoSeeds.every': 1,
  'pseudoSeeds.accept': 2,
} as const;

describe('a training that is resumed', () => {
  const settings = (reset: string) =>
    smallResolved({
      'training.epochs': 5,
      'training.optimizerReset': reset,
      'evaluation.every': 5,
      ...late,
    });

  /** Parameters, moments and metrics at the end; interrupted once after some epochs. */
  async function ended(reset: string, interruptedAfter: number | null) {
    const config = settings(reset);
    const data = await smallTask();
    const target = { parent: temporaryFolder(), label: 'x', command: ['loginmea'], backend: null };
    const controller = new AbortController();
    let dir = '';
    const attempt = train({
      data,
      config,
      run: target,
      signal: controller.signal,
      onProgress: (progress) => {
        if (progress.stage === 'ready') dir = progress.run!;
        if (progress.stage !== 'epoch') return;
        if (progress.record.epoch + 1 === interruptedAfter) controller.abort();
      },
    });
    if (interruptedAfter !== null) await expect(attempt).rejects.toThrow(InterruptedError);
    const result = await (interruptedAfter === null
      ? attempt
      : train({ data, config, run: { resume: dir } }));
    const { learner } = result.state;
    const parameters = await learner.parameters.toArrays();
    const end = { parameters, moments: await learner.optimizer.state(), metrics: result.metrics };
    result.state.dispose();
    result.run!.finish({ status: 'success' });
    return { ...end, stepCount: learner.optimizer.stepCount };
  }

  it.each<[string, readonly number[]]>([
    ['once', [1, 2, 3]],
    ['every-epoch', [2]],
    ['never', [2]],
  ])(
    'around the start of pseudo seeds ends in the same state: reset %s, after %o',
    async (reset, places) => {
      const whole = await ended(reset, null);
      expect(whole.metrics).not.toBeNull();
      for (const at of places) expect(await ended(reset, at), `after ${at}`).toEqual(whole);
    },
  );
});
