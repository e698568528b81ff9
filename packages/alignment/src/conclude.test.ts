import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InterruptedError, openRun, readRunRecord } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { writeAlignmentFolder } from '@lab/graph';
import { selectBackend, tf } from '@lab/tensor';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { smallData, smallResolved, smallTask, withImages } from './__fixtures__/small-task.js';
import { tableMethod } from './__fixtures__/table-method.js';
import { candidateTable } from './candidate-table.js';
import { analysePairs } from './analysis.js';
import { conclude, fittedConfidence } from './conclude.js';
import { train } from './training-run.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

async function concluded(settings: object = {}, validationShare = 0, entities = 140) {
  const config = smallResolved({ 'training.epochs': 6, 'evaluation.every': 3, ...settings });
  const task = await smallTask(withImages(smallData(entities)), validationShare);
  const run = { parent: temporaryFolder(), label: 'test', command: ['table'], backend: null };
  const trained = await train(tableMethod, { data: task, config, run });
  const conclusion = await conclude(tableMethod, trained, { config, seconds: 1 });
  return { trained, conclusion, task };
}

describe('conclude', () => {
  it('writes predictions, confidence, page and results', async () => {
    const { trained, conclusion, task } = await concluded();
    const dir = conclusion.run;
    const lines = readFileSync(join(dir, 'predictions.jsonl'), 'utf8').trim().split('\n');
    expect(lines).toHaveLength(task.split.test.length / 2);
    for (const [at, line] of lines.entries()) {
      const row = JSON.parse(line) as Record<string, unknown>;
      expect(row['gold']).toBe(task.data.entityNames[task.split.test[2 * at + 1]!]);
      expect(row['status']).toBe('answered');
      expect(row['rank'] === 1).toBe(row['predicted'] === row['gold']);
      expect(row['confidence']).toBeGreaterThanOrEqual(0);
    }
    expect(existsSync(join(dir, 'confidence.json'))).toBe(true);
    const page = readFileSync(conclusion.reportPath, 'utf8');
    expect(page).toContain('small pair');
    expect(page).toContain('<svg');
    const record = readRunRecord(dir);
    expect(record.status).toBe('success');
    expect(record.results).toEqual(JSON.parse(JSON.stringify(conclusion.summary)));
    expect(conclusion.summary).toMatchObject({
      status: 'success',
      epochs: 6,
      selectedEpoch: 6,
      select: 'last',
      seeds: 70,
      testPairs: 70,
      pseudoSeeds: 0,
    });
    expect(conclusion.summary.metrics).toEqual(trained.metrics);
    trained.state.dispose();
  });

  it('says so on the page where there was no evaluation', async () => {
    const { trained, conclusion } = await concluded({ 'evaluation.enabled': false });
    expect(conclusion.summary.metrics).toBeNull();
    expect(existsSync(join(conclusion.run, 'predictions.jsonl'))).toBe(false);
    const page = readFileSync(conclusion.reportPath, 'utf8');
    expect(page).toContain('without an evaluation');
    trained.state.dispose();
  });

  it('of no epoch judges nothing: no calibration, no predictions', async () => {
    const { trained, conclusion } = await concluded({ 'training.epochs': 0 }, 0.5);
    const { run, summary, reportPath } = conclusion;
    const table = await candidateTable(trained.state);
    expect(fittedConfidence(trained.state, table)).toBeNull();
    trained.state.dispose();
    expect(summary).toMatchObject({ metrics: null, confidence: null, epochs: 0 });
    expect(existsSync(join(run, 'confidence.json'))).toBe(false);
    const page = readFileSync(reportPath, 'utf8');
    expect(page).toContain('The model was not trained: 0 epochs.');
    expect(page).not.toMatch(/calibration|<h2[^>]*>(Confidence|Pairs)/i);
  });

  it('reports validation pairs where there are no test pairs', async () => {
    const task = await smallTask(smallData(140), 0.3);
    const own = { ...task, split: { ...task.split, test: new Int32Array(0) } };
    const config = smallResolved({ 'training.epochs': 4, 'evaluation.select': 'validation' });
    const run = { parent: temporaryFolder(), label: 'x', command: ['table'], backend: null };
    const trained = await train(tableMethod, { data: own, config, run });
    const { summary, reportPath } = await conclude(tableMethod, trained, { config, seconds: 1 });
    trained.state.dispose();
    expect(summary).toMatchObject({ metrics: null, validationPairs: 21 });
    expect(summary.validation!.forward.count).toBe(21);
    const page = readFileSync(reportPath, 'utf8');
    expect(page).toMatch(/of 21 known pairs that were kept out of training/);
    expect(page).toContain('Validation pairs found over the training');
    expect(page).toContain('chosen on the validation pairs themselves');
  });

  it('stopped while it measures: saved, and resuming concludes the run', async () => {
    const config = smallResolved({ 'training.epochs': 3 });
    const folder = join(temporaryFolder(), 'pair');
    await writeAlignmentFolder(folder, smallData());
    const run = { parent: temporaryFolder(), label: 'x', command: ['table'], backend: null };
    const trained = await train(tableMethod, { data: folder, config, run });
    const signal = AbortSignal.abort();
    const attempt = conclude(tableMethod, trained, { config, seconds: 1, signal });
    await expect(attempt).rejects.toThrow(InterruptedError);
    await expect(attempt).rejects.toThrow(/saved: resume with/);
    trained.state.dispose();
    expect(readRunRecord(trained.run!.dir).status).toBe('interrupted');
    const again = await train(tableMethod, {
      data: folder,
      config,
      run: { resume: trained.run!.dir },
    });
    await conclude(tableMethod, again, { config, seconds: 1 });
    again.state.dispose();
    expect(readRunRecord(trained.run!.dir).status).toBe('success');
  });

  it('holds no times and no tensors', async () => {
    const before = tf.memory().numTensors;
    const { trained, conclusion } = await concluded();
    const predictions = readFileSync(join(conclusion.run, 'predictions.jsonl'), 'utf8');
    expect(predictions).not.toMatch(/seconds|time/);
    trained.state.dispose();
    expect(tf.memory().numTensors).toBe(before);
    expect(openRun(conclusion.run).record.usage).toMatchObject({ seconds: 1 });
  });

  it('encodes the graphs once and leaves no tensor behind', async () => {
    const config = smallResolved({ 'training.epochs': 2 });
    const run = { parent: temporaryFolder(), label: 'test', command: ['table'], backend: null };
    const trained = await train(tableMethod, { data: await smallTask(), config, run });
    const encode = vi.spyOn(trained.state.learner, 'encode');
    const { numTensors } = tf.memory();
    await conclude(tableMethod, trained, { config, seconds: 1 });
    expect(encode).toHaveBeenCalledTimes(1);
    expect(tf.memory().numTensors).toBe(numTensors);
    trained.state.dispose();
  });

  it('needs a run folder', async () => {
    const config = smallResolved({ 'training.epochs': 1 });
    const trained = await train(tableMethod, { data: await smallTask(), config });
    await expect(conclude(tableMethod, trained, { config, seconds: 1 })).rejects.toThrow(
      'table/conclude: the training has no run folder',
    );
    trained.state.dispose();
  });
});

describe('fittedConfidence', () => {
  async function fitted(validationShare: number, entities: number) {
    const config = smallResolved({ 'training.epochs': 8 });
    const task = await smallTask(smallData(entities), validationShare);
    const { state } = await train(tableMethod, { data: task, config });
    const found = fittedConfidence(state, await candidateTable(state));
    state.dispose();
    return found;
  }

  it('is fitted on validation pairs where there are thirty', async () => {
    expect((await fitted(0.5, 140))!.fittedOn).toBe('35 validation pairs');
  });

  it('else on every second test pair, measured on the others', async () => {
    const found = (await fitted(0, 140))!;
    expect(found.fittedOn).toBe('every second test pair (35)');
    expect(found.quality?.pairs ?? 35).toBe(35);
  });

  it('is null with too few', async () => {
    expect(await fitted(0, 40)).toBeNull();
  });
});

describe('analysePairs', () => {
  it('describes every test pair in the order of the split', async () => {
    const config = smallResolved({ 'training.epochs': 4 });
    const task = await smallTask();
    const { state } = await train(tableMethod, { data: task, config });
    const encoding = state.learner.encode();
    const table = await candidateTable(state, { encoding });
    expect(table).toEqual(await candidateTable(state));
    const pairs = await analysePairs(state, { encoding, table, confidence: null });
    encoding.dispose();
    expect(pairs).toHaveLength(20);
    for (const [at, pair] of pairs.entries()) {
      expect([pair.source, pair.gold]).toEqual(
        Array.from(task.split.test.slice(2 * at, 2 * at + 2)),
      );
      expect(pair.rank === 1).toBe(pair.predicted === pair.gold);
      expect(pair.rank).toBeLessThanOrEqual(10);
      expect(pair.confidence).toBeNull();
      expect(Math.abs(pair.trueCosine)).toBeLessThanOrEqual(1.0001);
      expect(pair.uncertainty).toBeGreaterThan(0);
      expect(pair.degree).toBeGreaterThanOrEqual(0);
    }
    state.dispose();
  });
});
