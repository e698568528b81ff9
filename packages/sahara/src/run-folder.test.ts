import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRun, DataError, InterruptedError, type Run } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { describe, expect, it } from 'vitest';
import { doneSteps, doneUnits, runFiles, withinRun } from './run-folder.js';

const runOf = (label: string, config: object = {}): Run =>
  createRun({
    ...{ dir: join(temporaryFolder(), 'run'), parent: 'runs', method: 'sahara', label, seed: 1 },
    ...{ command: ['sahara', label], config, passed: {}, data: [], packages: {}, git: null },
  });

describe('withinRun', () => {
  it.each([
    ['ships', {}, /^saved: resume with "sahara ships --resume \//],
    ['neurons', {}, /^saved: resume with "sahara baseline neurons --resume \//],
    ['baseline', { method: 'probe' }, /^stopped: run "sahara baseline probe" again$/],
    ['pattern', {}, /^stopped: run "sahara pattern" again$/],
  ])('that is stopped says how to go on: %s', async (label, config, message) => {
    const run = runOf(label, config);
    const stop = new AbortController();
    const stopped = withinRun(run, stop.signal, () => {
      stop.abort();
      return Promise.reject(new Error('stopped'));
    });
    const error = await stopped.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(InterruptedError);
    expect((error as Error).message).toMatch(message);
    expect(run.record.status).toBe('interrupted');
  });
});

describe('lines of a run', () => {
  it('that are damaged are data errors with path and line', () => {
    const run = runOf('sahara');
    expect(doneSteps(run)).toEqual([]);
    const path = run.path(runFiles.units);
    appendFileSync(path, '{"group":[],"found":[{"layer":0,"head":1,"score":2}]}\n');
    expect([...doneUnits(run).values()]).toEqual([[{ layer: 0, head: 1, score: 2 }]]);
    appendFileSync(path, '{"group":[],"found":[{"layer":0,"head":"one","score":2}]}\n');
    const read = () => doneUnits(run);
    expect(read).toThrow(DataError);
    expect(read).toThrow(/units\.jsonl line 2: found\.0\.head: /);
  });
});
