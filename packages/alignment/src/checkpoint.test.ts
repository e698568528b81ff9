import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DataError } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { selectBackend } from '@lab/tensor';
import { readCheckpoint } from '@lab/tensor/io';
import { beforeAll, describe, expect, it } from 'vitest';
import { smallConfig, smallTask, smallTraining, valuesOf } from './__fixtures__/small-task.js';
import { fingerprint, loadParameters, restoreTraining, saveTraining } from './checkpoint.js';
import { trainEpochs } from './train.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

describe('fingerprint', () => {
  const of = (settings: object, hashes = ['a']) =>
    fingerprint(smallConfig({ ...settings }), hashes);

  it('leaves out how long is trained and how often is saved', () => {
    expect(of({ 'training.epochs': 7 })).toBe(of({}));
    expect(of({ 'training.checkpointSeconds': 1 })).toBe(of({}));
  });

  it('has everything else that decides what a training does', () => {
    const others = [
      of({ 'training.batchSize': 8 }),
      of({ 'loss.temperature': 2 }),
      of({ 'evaluation.select': 'validation' }),
      of({ seed: 1 }),
      of({}, ['b']),
      of({}, ['a', 'b']),
    ];
    expect(new Set([of({}), ...others]).size).toBe(7);
  });
});

describe('a saved training', () => {
  /** A state after three epochs with pseudo seeds, and where it is saved. */
  async function saved() {
    const pseudo = { 'pseudoSeeds.enabled': true, 'pseudoSeeds.start': 0, 'pseudoSeeds.every': 1 };
    const config = smallConfig({ 'training.epochs': 3, ...pseudo });
    const task = await smallTask();
    const state = smallTraining(task, config);
    await trainEpochs(state);
    const dir = join(temporaryFolder(), 'checkpoint');
    await saveTraining(dir, state, 'key');
    return { dir, state, task, config };
  }

  it('comes back whole: parameters, moments, steps, proposals, selection', async () => {
    const { dir, state, task, config } = await saved();
    const fresh = smallTraining(task, config);
    await restoreTraining(dir, fresh, 'key');
    for (const name of state.learner.parameters.names()) {
      const [was, is] = [state, fresh].map(({ learner }) => valuesOf(learner.parameters.get(name)));
      expect(is, name).toEqual(was);
    }
    const { optimizer } = fresh.learner;
    expect(await optimizer.state()).toEqual(await state.learner.optimizer.state());
    expect(optimizer.stepCount).toBe(3);
    expect(fresh.pseudoSeeds.state()).toEqual(state.pseudoSeeds.state());
    expect([fresh.epoch, fresh.selection]).toEqual([3, state.selection]);
    expect(fresh.learner.pace.lastLoss).toBeGreaterThan(0);
    expect(fresh.learner.pace).toEqual(state.learner.pace);
    fresh.dispose();
    state.dispose();
  });

  it('of another key is refused, nothing is changed', async () => {
    const { dir, state, task, config } = await saved();
    const fresh = smallTraining(task, config);
    const entity = valuesOf(fresh.learner.parameters.get('entity'));
    await expect(restoreTraining(dir, fresh, 'other')).rejects.toThrow(DataError);
    expect(valuesOf(fresh.learner.parameters.get('entity'))).toEqual(entity);
    expect(fresh.epoch).toBe(0);
    fresh.dispose();
    state.dispose();
  });

  it('of another shape is an error, not a half-loaded model', async () => {
    const { dir, state, task } = await saved();
    const wide = smallTraining(task, smallConfig({ 'model.tableSize': 20 }));
    const checkpoint = await readCheckpoint(dir);
    expect(() => loadParameters(wide.learner, checkpoint)).toThrow();
    wide.dispose();
    state.dispose();
  });

  it('that is not there is a data error', async () => {
    const { state } = await saved();
    const dir = join(temporaryFolder(), 'empty');
    mkdirSync(dir);
    await expect(restoreTraining(dir, state, 'key')).rejects.toThrow(DataError);
    expect(readdirSync(dir)).toEqual([]);
    state.dispose();
  });
});
