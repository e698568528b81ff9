import { ConfigError } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { selectBackend } from '@lab/tensor';
import { beforeAll, describe, expect, it } from 'vitest';
import { smallConfig, smallResolved, smallTask, smallTraining } from './__fixtures__/small-task.js';
import { tableMethod } from './__fixtures__/table-method.js';
import { alignAdded } from './added-entities.js';
import { alignGraphs } from './align-graphs.js';
import { alignEntities } from './align.js';
import { candidateTable } from './candidate-table.js';
import { conclude } from './conclude.js';
import { type AlignmentTask, readTask } from './data.js';
import { runAlignmentExperiment } from './experiment.js';
import { explainBest, explainPair, explainPairs } from './explain.js';
import { compareMethods } from './method-comparison.js';
import { pairsToReview } from './review.js';
import { expectedTime } from './time-estimate.js';
import { train } from './training-run.js';

let task: AlignmentTask;
beforeAll(async () => {
  await selectBackend('wasm');
  task = await smallTask();
});

/** Message and help of the refusal, in one line. */
async function refusal(call: () => Promise<unknown>): Promise<string> {
  const error = await call().then(
    () => 'accepted',
    (thrown: unknown) => thrown,
  );
  return error instanceof ConfigError ? `${error.message} ${error.help}` : `no: ${String(error)}`;
}

describe('options of train', () => {
  it.each<[Record<string, unknown>, string]>([
    [{ epoch: 3 }, 'table/train: unknown option "epoch". did you mean epochs?'],
    [{ epochs: 'three' }, 'table/train: epochs is "three" and must be a number.'],
    [{ epochs: 1.5 }, 'table/train: epochs is 1.5 and must be a whole number.'],
    [{ seed: -1 }, 'table/train: seed is -1 and must be >= 0.'],
    [{ data: 7 }, 'table/train: data is 7 and must be a folder, a data source, or a task'],
    [{ data: {}, dat: 1 }, 'table/train: unknown option "dat". did you mean data?'],
    [{ data: { dirr: 'x' } }, 'table/train, data: unknown option "dirr". did you mean dir?'],
    [{ data: { dir: 3 } }, 'table/train, data: dir is 3 and must be a text.'],
    [
      { data: { own: { source: 'a', taget: 'b' } } },
      'table/train, data, own: unknown option "taget". did you mean target?',
    ],
    [{ config: smallConfig() }, 'config is an object and must be a config, as resolveConfig'],
    [{ signal: true }, 'signal is true and must be an AbortSignal.'],
    [{ onProgress: 'log' }, 'onProgress is "log" and must be a function.'],
    [{ logger: console.log }, 'logger is a function and must be a logger'],
    [{ run: 'runs' }, 'run is "runs" and must be { parent, label, command, backend }'],
    [{ run: { parent: 'x' } }, 'table/train, run: label is missing and must be a text'],
    [{ run: { resumes: 'x' } }, 'unknown option "resumes"'],
    [{ preset: 'own ' }, 'unknown preset "own ". did you mean own?'],
    [{ settings: { 'loss.temprature': 1 } }, 'did you mean loss.temperature?'],
    [{ config: smallResolved(), epochs: 3 }, 'epochs would do nothing beside config'],
  ])('%j', async (options, text) => {
    const given = { data: task, ...options } as unknown as Parameters<typeof train>[1];
    expect(await refusal(() => train(tableMethod, given as never))).toContain(text);
  });

  it('must be there', async () => {
    const text = await refusal(() => train(tableMethod, undefined as never));
    expect(text).toContain('table/train: the options are undefined and must be an object.');
  });
});

describe('options of the other calls', () => {
  const none = undefined as never;
  const calls: Record<string, [(extra: object) => Promise<unknown>, object, string]> = {
    alignGraphs: [
      (extra) => alignGraphs(tableMethod, { source: 'a', target: 'b', ...extra } as never),
      { matching: 'any' },
      'table/align: matching is "any" and must be one of best, mutual, greedy, sinkhorn.',
    ],
    minConfidence: [
      (extra) => alignGraphs(tableMethod, { source: 'a', target: 'b', ...extra } as never),
      { minConfidence: 3 },
      'table/align: minConfidence is 3 and must be <= 1.',
    ],
    readTask: [
      (extra) => readTask(extra, smallConfig()),
      { seeds: 'x' },
      'alignment/readTask, data: unknown option "seeds".',
    ],
    conclude: [
      (extra) => conclude(tableMethod, none, { config: smallResolved(), ...extra } as never),
      { seconds: '1' },
      'table/conclude: seconds is "1" and must be a number.',
    ],
    experiment: [
      (extra) => {
        const base = { method: tableMethod, task, base: smallResolved(), epochs: 1, seeds: [1] };
        return runAlignmentExperiment({ ...base, dir: temporaryFolder(), ...extra });
      },
      { only: ['modalties'] },
      'alignment/experiment: there is no group "modalties". did you mean "modalities"?',
    ],
    compareMethods: [
      (extra) => compareMethods({ task, contestants: [], ...extra } as never),
      { seedShare: [0.3] },
      'alignment/comparison: unknown option "seedShare". did you mean seedShares?',
    ],
    explainPair: [
      (extra) => explainPair(none, none, { target: 1, ...extra } as never),
      { source: 'Lyon' },
      'alignment/explainPair: source is "Lyon" and must be a number.',
    ],
    explainPairs: [
      (extra) => explainPairs(none, none, extra as never),
      { pairs: 1 },
      'alignment/explainPairs: pairs is 1 and must be a list of pairs.',
    ],
    explainBest: [
      (extra) => explainBest(none, none, { source: 1, ...extra }),
      { count: 0 },
      'alignment/explainBest: count is 0 and must be >= 1.',
    ],
    pairsToReview: [
      (extra) => pairsToReview(none, none, extra),
      { by: 'luck' },
      'alignment/pairsToReview: by is "luck" and must be one of confidence, margin.',
    ],
    alignAdded: [
      (extra) => alignAdded(none, new Int32Array(0), extra),
      { matchin: 'best' },
      'alignment/alignAdded: unknown option "matchin". did you mean matching?',
    ],
    expectedTime: [
      (extra) => expectedTime(tableMethod, task, { config: smallConfig(), ...extra }),
      { budget: 3 },
      'table/expectedTime: unknown option "budget".',
    ],
  };
  it.each(Object.entries(calls))('%s', async (_, [call, extra, text]) => {
    expect(await refusal(() => call(extra))).toContain(text);
  });

  it('are taken as they are when they are right', async () => {
    const state = smallTraining(task, smallConfig());
    const encoding = state.learner.encode();
    const pairs = await pairsToReview(state, encoding, {
      count: 1,
      by: 'margin',
      signal: undefined,
    });
    expect(pairs).toHaveLength(1);
    encoding.dispose();
    state.dispose();
  });
});

describe('options of candidateTable and alignEntities', () => {
  it('name what is wrong', async () => {
    const state = smallTraining(task, smallConfig());
    const search = { foldr: 'x' } as never;
    expect(await refusal(() => candidateTable(state, search))).toContain('did you mean folder?');
    const side = { side: 'left' } as never;
    expect(await refusal(() => candidateTable(state, side))).toContain('side is "left"');
    const table = await candidateTable(state);
    const align = async () => alignEntities(table, null, { matching: 'hungarian' } as never);
    expect(await refusal(align)).toContain('alignment/alignEntities: matching is "hungarian"');
    state.dispose();
  });
});
