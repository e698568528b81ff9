import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRandom } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { normal, selectBackend } from '@lab/tensor';
import { expectNoLeak } from '@lab/tensor/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { smallConfig, smallResolved, smallTask, smallTraining } from './__fixtures__/small-task.js';
import { tableMethod } from './__fixtures__/table-method.js';
import type { EpochRecord } from './epoch-record.js';
import { pseudoSeedRound } from './pseudo-seed-round.js';
import { type EpochEvent, trainEpochs } from './train.js';
import { train } from './training-run.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

/** Records of a training with pseudo seeds on a quick schedule. */
async function recordsOf(
  settings: object = {},
  epochs = 12,
  onEpoch: (event: EpochEvent) => void = () => undefined,
): Promise<EpochRecord[]> {
  const config = smallConfig({
    'training.epochs': epochs,
    'training.learningRate': 0.03,
    'pseudoSeeds.enabled': true,
    'pseudoSeeds.start': 2,
    'pseudoSeeds.every': 1,
    'pseudoSeeds.accept': 4,
    'evaluation.enabled': false,
    ...settings,
  });
  const state = smallTraining(await smallTask(), config);
  const records: EpochRecord[] = [];
  await trainEpochs(state, {
    onEpoch: (event) => {
      records.push(event.record);
      onEpoch(event);
    },
  });
  state.dispose();
  return records;
}

describe('the schedule', () => {
  it('proposes from the start on when due, accepts when due, and the seeds grow', async () => {
    const records = await recordsOf();
    const proposed = records.filter(({ pseudoSeeds }) => pseudoSeeds !== undefined);
    expect(proposed.map(({ epoch }) => epoch)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    const accepted = records.filter(({ pseudoSeeds }) => (pseudoSeeds?.accepted ?? 0) > 0);
    for (const { epoch } of accepted) expect((epoch + 1) % 4).toBe(0);
    let seeds = 20;
    for (const record of records) {
      expect(record.seeds).toBe(seeds);
      seeds += (record.pseudoSeeds?.accepted ?? 0) - (record.pseudoSeeds?.removed ?? 0);
      expect(record.pseudoSeeds?.correct ?? 0).toBeLessThanOrEqual(
        record.pseudoSeeds?.accepted ?? 0,
      );
    }
    expect(seeds).toBeGreaterThan(20);
  });

  it('in the released schedule the first acceptance is after epoch 100', async () => {
    // 20 / 5 / 50: a candidate set is made at epoch 55 only, and accepted at 100.
    const released = {
      'pseudoSeeds.start': 20,
      'pseudoSeeds.every': 5,
      'pseudoSeeds.accept': 50,
    };
    const records = await recordsOf(released, 101);
    const at = (epochs: number) => records[epochs - 1]!.pseudoSeeds;
    expect(records.filter(({ pseudoSeeds }) => pseudoSeeds).map(({ epoch }) => epoch + 1)).toEqual(
      Array.from({ length: 16 }, (_, round) => 25 + 5 * round),
    );
    for (const epochs of [25, 30, 45, 50]) {
      expect(at(epochs)).toMatchObject({ candidates: 0, accepted: 0 });
    }
    expect(at(55)!.candidates).toBeGreaterThan(0);
    expect(at(60)!.candidates).toBeLessThanOrEqual(at(55)!.candidates);
    for (let epochs = 25; epochs < 100; epochs += 5) expect(at(epochs)!.accepted).toBe(0);
    expect(records[99]!.seeds).toBe(20);
    expect(records[100]!.seeds).toBe(20 + at(100)!.accepted);
  });

  it('is off by default', async () => {
    const records = await recordsOf({ 'pseudoSeeds.enabled': false }, 4);
    for (const record of records) expect(record).not.toHaveProperty('pseudoSeeds');
  });

  it.each([true, false])('pairs that are no longer mutual go, if asked for: %s', async (remove) => {
    // After the first acceptance the model forgets everything, so other pairs become mutual.
    const forget = ({ record, state }: EpochEvent) => {
      if (record.epoch !== 7) return;
      const random = createRandom(77);
      for (const name of state.learner.parameters.names()) {
        const variable = state.learner.parameters.get(name);
        const values = normal(variable.shape, 1, random.fork(name));
        variable.assign(values);
        values.dispose();
      }
    };
    const records = await recordsOf({ 'pseudoSeeds.remove': remove }, 12, forget);
    const sum = (key: 'accepted' | 'removed') =>
      records.reduce((total, { pseudoSeeds }) => total + (pseudoSeeds?.[key] ?? 0), 0);
    expect(sum('accepted')).toBeGreaterThan(0);
    if (remove) expect(sum('removed')).toBeGreaterThan(0);
    else expect(sum('removed')).toBe(0);
  });

  it.each(['exact', 'approximate'])('a search that is %s stops at a signal', async (search) => {
    const settings = { 'pseudoSeeds.enabled': true, 'evaluation.search': search };
    const state = smallTraining(await smallTask(), smallConfig(settings));
    state.epoch = state.config.pseudoSeeds.start;
    const round = async (watch: object) => {
      await pseudoSeedRound(state, createRandom(1), watch);
    };
    const signal = AbortSignal.abort(new Error('enough'));
    const error = await expectNoLeak(() => round({ signal }));
    expect(error).toEqual(new Error('enough'));
    const told: object[] = [];
    await round({ onProgress: (progress: object) => told.push(progress) });
    expect(told.length > 0).toBe(search === 'approximate');
    state.dispose();
  });

  it('a run that was stopped in a search goes on in that epoch, to the same metrics', async () => {
    const schedule = { 'pseudoSeeds.start': 0, 'pseudoSeeds.every': 1, 'pseudoSeeds.accept': 2 };
    const config = smallResolved({
      ...{ ...schedule, 'pseudoSeeds.enabled': true, 'training.epochs': 5 },
      'evaluation.search': 'approximate',
    });
    const data = await smallTask();
    const parent = temporaryFolder();
    const place = (dir: string) => ({ parent, dir, label: 'x', command: ['table'], backend: null });
    const linesOf = (dir: string) => readFileSync(join(dir, 'metrics.jsonl'), 'utf8');
    const [whole, dir] = ['whole', 'stopped'].map((name) => join(parent, name)) as [string, string];
    const controller = new AbortController();
    const attempt = train(tableMethod, {
      ...{ data, config, run: place(dir), signal: controller.signal },
      onProgress: ({ stage, ...progress }) => {
        if (stage === 'search' && 'epoch' in progress && progress.epoch === 3) controller.abort();
      },
    });
    await expect(attempt).rejects.toThrow(/saved: resume with/);
    expect(linesOf(dir).trim().split('\n')).toHaveLength(3);
    for (const run of [{ resume: dir }, place(whole)]) {
      (await train(tableMethod, { data, config, run })).state.dispose();
    }
    expect(linesOf(dir)).toBe(linesOf(whole));
    expect(linesOf(dir)).toMatch(/"accepted":[1-9]/);
  });

  it('goes on when every entity has a seed', async () => {
    const records = await recordsOf({ 'training.learningRate': 0.1 }, 28);
    expect(records.at(-1)!.seeds).toBeGreaterThan(35);
  });
});
