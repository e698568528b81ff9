import type { CliContext } from '@lab/core/cli';
import { type BackendReport, selectBackend } from '@lab/tensor';
import { beforeAll, describe, expect, it } from 'vitest';
import { tableMethod } from '../__fixtures__/table-method.js';
import type { EpochRecord } from '../epoch-record.js';
import { trainingReporter } from './train-progress.js';

beforeAll(async () => {
  await selectBackend('cpu');
});

/** What a training of these epoch times (seconds) says; `remarks` come with every epoch. */
function told(seconds: readonly number[], epochs: number, remarks: readonly string[] = []) {
  const notes: string[] = [];
  const lines: string[] = [];
  const context = {
    note: (text: string) => notes.push(text),
    progress: { update: (text: string) => lines.push(text), done: () => undefined },
  } as unknown as CliContext;
  const report = trainingReporter(tableMethod, context, {
    label: { mode: 'x', preset: null },
    backend: {} as BackendReport,
  });
  seconds.forEach((value, epoch) => {
    const record = { epoch, loss: 1, ...(remarks.length > 0 ? { remarks } : {}) };
    report({ stage: 'epoch', record: record as unknown as EpochRecord, epochs, seconds: value });
  });
  return { notes, lines };
}

describe('trainingReporter', () => {
  it('announces the time once, from the second epoch, and says what is left in every line', () => {
    const { notes, lines } = told([5, 1, 1, 1], 302);
    expect(notes).toEqual(['time   about 5 min for 300 epochs, evaluations and report apart']);
    expect(lines[0]).toMatch(/epoch 1\/302 .* 5\.0 s\/epoch {2}ETA 25 min/);
    expect(lines[3]).toMatch(/epoch 4\/302 .* 1\.0 s\/epoch {2}ETA 5 min/);
  });

  it('announces after a long first epoch, and not what is over at once', () => {
    expect(told([20], 31).notes).toEqual([
      'time   about 10 min for 30 epochs, evaluations and report apart',
    ]);
    expect(told([0.1, 0.1, 0.1], 40).notes).toEqual([]);
    const { notes, lines } = told([30], 1);
    expect([notes, lines[0]]).toEqual([[], expect.not.stringContaining('ETA')]);
  });

  it('says what a second Ctrl-C loses, from the start on', () => {
    const lost: string[] = [];
    const context = {
      ...{ note: () => undefined, progress: { done: () => undefined }, setRun: () => undefined },
      onSecondInterrupt: (text: string) => lost.push(text),
    } as unknown as CliContext;
    const label = { mode: 'x', preset: null };
    const backend = { name: 'cpu', threads: 1 } as BackendReport;
    const report = trainingReporter(tableMethod, context, { label, backend });
    report({
      ...{ stage: 'ready', entities: { left: 1, right: 1 }, triples: 1, seeds: 1 },
      ...{ seedOrigin: 'x', validationPairs: 0, testPairs: 0, modalities: [], parameters: 1 },
      ...{ expectedTensorBytes: 1, remarks: [], run: 'runs/A' },
    });
    expect(lost).toEqual(['the epochs since the last checkpoint are lost']);
  });

  it('says how far a search for pseudo seeds is', () => {
    const lines: string[] = [];
    const progress = { update: (text: string) => lines.push(text) };
    const context = { progress } as unknown as CliContext;
    const label = { mode: 'x', preset: null };
    const report = trainingReporter(tableMethod, context, { label, backend: {} as BackendReport });
    report({ stage: 'search', epoch: 4, epochs: 9, done: 1, total: 4 });
    expect(lines).toEqual(['train  epoch 5/9  searching pseudo seeds  .250']);
  });

  it('says each remark of an evaluation once', () => {
    expect(told([1, 1, 1], 3, ['fewer neighbours']).notes).toEqual(['note   fewer neighbours']);
  });
});
