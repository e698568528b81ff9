import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, DataError, InterruptedError, openRun, readRunRecord } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { writeAlignmentFolder } from '@lab/graph';
import { selectBackend, tf } from '@lab/tensor';
import { hasCheckpoint } from '@lab/tensor/io';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  smallData,
  smallResolved,
  smallSettings,
  smallTask,
  valuesOf,
} from './__fixtures__/small-task.js';
import type { TableConfig } from './__fixtures__/table-config.js';
import { tableMethod } from './__fixtures__/table-method.js';
import { restoreRun } from './restore.js';
import type { TrainOptions } from './training-options.js';
import { recordedTraining } from './training-record.js';
import { settingsOf, train } from './training-run.js';

const folder = join(temporaryFolder(), 'pair');

beforeAll(async () => {
  await selectBackend('wasm');
  await writeAlignmentFolder(folder, smallData());
});

const newRun = (parent = temporaryFolder()) => ({
  parent,
  label: 'test',
  command: ['table', 'train'],
  backend: { name: 'wasm' },
});

/** A small training of the folder; the state is freed. */
async function trained(settings: object, options: Partial<TrainOptions<TableConfig>> = {}) {
  const config = smallResolved({ 'training.epochs': 5, 'evaluation.every': 2, ...settings });
  const result = await train(tableMethod, { data: folder, config, ...options });
  result.state.dispose();
  return result;
}

let plain: ReturnType<typeof trained> | undefined;

/** The undisturbed training of the default settings, made once. */
function wholeRun() {
  plain ??= trained({}, { run: newRun() });
  return plain;
}

const linesOf = (dir: string, name = 'metrics.jsonl') => readFileSync(join(dir, name), 'utf8');

describe('a run folder', () => {
  it('has a line per epoch without times, times apart, and a checkpoint', async () => {
    const { run, metrics } = await trained({}, { run: newRun(), now: () => 7 });
    const rows = linesOf(run!.dir).trim().split('\n');
    expect(rows).toHaveLength(5);
    expect(linesOf(run!.dir)).not.toMatch(/seconds|time|date/i);
    expect(JSON.parse(linesOf(run!.dir, 'timings.jsonl').split('\n')[0]!)).toMatchObject({
      epoch: 0,
      seconds: 0,
    });
    expect(hasCheckpoint(run!.path('checkpoint'))).toBe(true);
    expect(metrics!.forward.count).toBe(28);
    expect(run!.record).toMatchObject({ method: 'table', seed: 2023, status: 'started' });
    expect(run!.record.data.length).toBeGreaterThanOrEqual(5);
    for (const { sha256 } of run!.record.data) expect(sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  it('is the same for the same seed', async () => {
    const runs = [await wholeRun(), await trained({}, { run: newRun() })];
    expect(linesOf(runs[0]!.run!.dir)).toBe(linesOf(runs[1]!.run!.dir));
  });

  it('nothing is written without a run folder, with the same results', async () => {
    const bare = await trained({});
    expect(bare.run).toBeNull();
    expect(bare.metrics).toEqual((await wholeRun()).metrics);
  });

  it('saves after every epoch at checkpointSeconds 0, once a minute otherwise', async () => {
    const saves = async (settings: object, now: () => number) => {
      const controller = new AbortController();
      const epochs: boolean[] = [];
      let dir = '';
      await trained(settings, {
        run: newRun(),
        now,
        signal: controller.signal,
        onProgress: (progress) => {
          if (progress.stage === 'ready') dir = progress.run!;
          if (progress.stage === 'epoch') epochs.push(hasCheckpoint(join(dir, 'checkpoint')));
        },
      });
      return epochs;
    };
    expect(await saves({ 'training.checkpointSeconds': 0 }, () => 1)).not.toContain(false);
    expect(await saves({}, () => 1)).not.toContain(true);
    let clock = 0;
    const slow = () => {
      clock += 15;
      return clock;
    };
    expect((await saves({}, slow)).filter(Boolean).length).toBeGreaterThan(0);
  });
});

describe('resume', () => {
  const every = { 'training.checkpointSeconds': 0 };

  /** Starts a training and stops it after some epochs. */
  async function stopped(settings: object, epochs: number) {
    const controller = new AbortController();
    let dir = '';
    const attempt = trained(settings, {
      run: newRun(),
      signal: controller.signal,
      onProgress: (progress) => {
        if (progress.stage === 'ready') dir = progress.run!;
        if (progress.stage === 'epoch' && progress.record.epoch + 1 === epochs) controller.abort();
      },
    });
    await expect(attempt).rejects.toThrow(InterruptedError);
    await expect(attempt).rejects.toThrow(`saved: resume with "table train --resume ${dir}"`);
    return dir;
  }

  it.each([
    [{}, 3],
    [every, 1],
    [{ 'pseudoSeeds.enabled': true, 'pseudoSeeds.start': 0, 'pseudoSeeds.accept': 10 }, 4],
    [{ 'evaluation.select': 'validation', 'data.validationShare': 0.3 }, 3],
  ])('goes on to the same metrics, %o stopped after epoch %i', async (settings, epochs) => {
    const whole = await trained({ ...settings }, { run: newRun() });
    const dir = await stopped(settings, epochs);
    expect(readRunRecord(dir).status).toBe('interrupted');
    const resumed = await trained(settings, { run: { resume: dir } });
    expect(linesOf(dir)).toBe(linesOf(whole.run!.dir));
    expect(resumed.metrics).toEqual(whole.metrics);
    expect(resumed.selectedEpoch).toBe(whole.selectedEpoch);
  });

  it('drops rows after the checkpoint and a torn last line', async () => {
    const whole = await wholeRun();
    const dir = await stopped({}, 2);
    const path = join(dir, 'metrics.jsonl');
    writeFileSync(path, `${linesOf(dir)}{"epoch":2,"loss":0}\n{"epoch":3,"lo`);
    await trained({}, { run: { resume: dir } });
    expect(linesOf(dir)).toBe(linesOf(whole.run!.dir));
  });

  it('starts anew where nothing was saved', async () => {
    const whole = await wholeRun();
    const dir = await stopped({}, 2);
    rmSync(join(dir, 'checkpoint'), { recursive: true });
    await trained({}, { run: { resume: dir } });
    expect(linesOf(dir)).toBe(linesOf(whole.run!.dir));
  });

  it('trains a finished run longer', async () => {
    const { run } = await trained({}, { run: newRun() });
    const longer = await trained({ 'training.epochs': 7 }, { run: { resume: run!.dir } });
    expect(longer.state.epoch).toBe(7);
    expect(recordedTraining(tableMethod, openRun(run!.dir)).config.training.epochs).toBe(7);
  });

  it.each([
    ['another config', { 'loss.temperature': 0.2 }],
    ['other seeds', { 'data.seedShare': 0.4 }],
    ['another seed', { seed: 5 }],
  ])('refuses a checkpoint of %s, and leaves the run alone', async (_, settings) => {
    const dir = await stopped({}, 2);
    const before = linesOf(dir, 'run.json');
    const attempt = trained(settings, { run: { resume: dir } });
    await expect(attempt).rejects.toThrow(DataError);
    await expect(attempt).rejects.toThrow(/another config or other data/);
    expect(linesOf(dir, 'run.json')).toBe(before);
  });

  it('refuses other data under the same path', async () => {
    const dir = await stopped({}, 2);
    const other = join(temporaryFolder(), 'pair');
    await writeAlignmentFolder(other, smallData(44));
    const attempt = trained({}, { data: other, run: { resume: dir } });
    await expect(attempt).rejects.toThrow(/another config or other data/);
  });
});

describe('failures', () => {
  it('an abort during the baseline is an interruption like any other', async () => {
    const controller = new AbortController();
    let dir = '';
    const options: Partial<TrainOptions<TableConfig>> = {
      run: newRun(),
      signal: controller.signal,
      onProgress: (progress) => {
        if (progress.stage === 'ready') dir = progress.run!;
        if (progress.stage === 'baseline') controller.abort();
      },
    };
    const attempt = trained({ 'evaluation.baseline': true }, options);
    await expect(attempt).rejects.toThrow(InterruptedError);
    await expect(attempt).rejects.toThrow(`saved: resume with "table train --resume ${dir}"`);
    expect(readRunRecord(dir).status).toBe('interrupted');
    const bare = { signal: AbortSignal.abort() };
    await expect(trained({ 'evaluation.baseline': true }, bare)).rejects.toThrow(InterruptedError);
  });

  it('are written into run.json, and nothing leaks', async () => {
    const before = tf.memory().numTensors;
    const createLearner: typeof tableMethod.createLearner = (...input) => {
      const learner = tableMethod.createLearner(...input);
      const weights = learner.parameters.get('entity');
      tf.tidy(() => weights.assign(tf.fill(weights.shape, Number.NaN)));
      return learner;
    };
    const run = { ...newRun(), dir: join(temporaryFolder(), 'run') };
    const attempt = train({ ...tableMethod, createLearner }, { data: folder, epochs: 3, run });
    await expect(attempt).rejects.toThrow(/loss is NaN/);
    const { status, error } = readRunRecord(run.dir);
    expect(status).toBe('error');
    expect(JSON.stringify(error)).toContain('loss is NaN');
    expect(tf.memory().numTensors).toBe(before);
  });

  it('a folder that is no run', async () => {
    const attempt = trained({}, { run: { resume: temporaryFolder() } });
    await expect(attempt).rejects.toThrow(DataError);
  });
});

describe('the selected parameters', () => {
  it.each([true, false])('are in the model at the end, run folder %s', async (hasRun) => {
    const settings = {
      'training.epochs': 12,
      'training.learningRate': 0.3,
      'evaluation.select': 'test-oracle',
      'evaluation.every': 1,
    };
    const config = smallResolved(settings);
    const options = { data: folder, config, ...(hasRun ? { run: newRun() } : {}) };
    const result = await train(tableMethod, options);
    expect(result.selectedEpoch).toBeLessThan(12);
    const entity = valuesOf(result.state.learner.parameters.get('entity'));
    result.state.dispose();
    const { epochs: _epochs, ...rest } = { epochs: 0, ...settings };
    const short = smallResolved({ ...rest, 'training.epochs': result.selectedEpoch });
    const again = await train(tableMethod, { data: folder, config: short });
    expect(valuesOf(again.state.learner.parameters.get('entity'))).toEqual(entity);
    again.state.dispose();
    if (!hasRun) return;
    const restored = await restoreRun(tableMethod, result.run!.dir);
    expect(valuesOf(restored.state.learner.parameters.get('entity'))).toEqual(entity);
    restored.state.dispose();
  });
});

describe('restoreRun', () => {
  it('needs a checkpoint, and a run on files', async () => {
    const { run } = await trained({}, { run: newRun() });
    const restored = await restoreRun(tableMethod, run!.dir);
    expect(restored.state.epoch).toBe(5);
    expect(restored.source.dir).toBe(folder);
    restored.state.dispose();
    rmSync(run!.path('checkpoint'), { recursive: true });
    await expect(restoreRun(tableMethod, run!.dir)).rejects.toThrow(/no checkpoint/);
    const inMemory = await trained({}, { data: await smallTask(), run: newRun() });
    await expect(restoreRun(tableMethod, inMemory.run!.dir)).rejects.toThrow(
      /not a run of table train on files/,
    );
  });
});

describe('settingsOf', () => {
  it('makes a config of the guessed options', () => {
    const { config, preset, mode } = settingsOf(tableMethod, {
      preset: 'fb15k-db15k',
      mode: 'official',
      seed: 1,
      epochs: 3,
      settings: { 'loss.temperature': 2 },
    });
    expect([preset, mode]).toEqual(['fb15k-db15k', 'official']);
    expect(config).toMatchObject({ seed: 1, training: { epochs: 3 }, loss: { temperature: 2 } });
    expect(settingsOf(tableMethod, {}).config.training.epochs).toBe(10);
    const resolved = smallResolved();
    expect(settingsOf(tableMethod, { config: resolved })).toBe(resolved);
  });

  it('refuses unknown settings by the nearest name', () => {
    const attempt = () =>
      settingsOf(tableMethod, { settings: { ...smallSettings, 'loss.temprature': 1 } });
    expect(attempt).toThrow(ConfigError);
  });
});
