import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { ConfigError, DataError, ModelError } from './errors.js';
import { type CreateRunOptions, createRun, openRun, resumeRun } from './run.js';
import { readRunRecord } from './run-record.js';
import { temporaryFolder } from './testing.js';

let parent = '';
beforeEach(() => {
  parent = join(temporaryFolder(), 'runs');
});

function options(more: Partial<CreateRunOptions> = {}): CreateRunOptions {
  return {
    parent,
    method: 'ibmea',
    label: 'dbp15k',
    seed: 2024,
    command: ['ibmea', 'train'],
    config: { training: { epochs: 3 } },
    origins: { 'training.epochs': '--epochs' },
    packages: { '@lab/core': '0.1.0' },
    now: () => new Date('2026-11-23T17:33:20Z'),
    ...more,
  };
}

describe('createRun', () => {
  it('makes a named folder with a started record', () => {
    const run = createRun(options());
    expect(basename(run.dir)).toMatch(/^2026-11-23T1733-ibmea-dbp15k-s2024-[0-9a-f]{4}$/);
    expect(readRunRecord(run.dir)).toEqual(run.record);
    expect(run.record).toMatchObject({
      schemaVersion: 1,
      id: basename(run.dir),
      status: 'started',
      command: ['ibmea', 'train'],
      config: { resolved: { training: { epochs: 3 } }, origins: { 'training.epochs': '--epochs' } },
      seed: 2024,
      data: [],
      start: '2026-11-23T17:33:20.000Z',
      end: null,
      error: null,
    });
    expect(run.record.environment).toMatchObject({ node: process.versions.node });
  });

  it('gives two runs of the same minute two folders', () => {
    const dirs = new Set([1, 2, 3].map(() => createRun(options()).dir));
    expect(dirs.size).toBe(3);
    expect(readdirSync(parent)).toHaveLength(3);
  });

  it('makes names that every file system takes', () => {
    const run = createRun(options({ label: 'FR/EN: 3K ü' }));
    expect(basename(run.dir)).toContain('-fr-en-3k-');
  });

  it('takes an exact folder but no folder of another run', () => {
    const dir = join(parent, 'mine');
    expect(createRun(options({ dir })).dir).toBe(dir);
    expect(() => createRun(options({ dir }))).toThrow(ConfigError);
    expect(() => createRun(options({ dir }))).toThrow('holds a run already');
  });

  it('says when the folder cannot be made', () => {
    mkdirSync(parent);
    writeFileSync(join(parent, 'file'), '');
    const under = options({ parent: join(parent, 'file', 'runs') });
    expect(() => createRun(under)).toThrow(DataError);
    expect(() => createRun(under)).toThrow('cannot make the folder');
  });
});

describe('a run', () => {
  it('appends rows and log lines', () => {
    const run = createRun(options());
    run.appendMetrics({ epoch: 1, loss: 0.5 });
    run.appendMetrics({ epoch: 2, loss: 0.25 });
    run.appendTimings({ epoch: 1, seconds: 2.9 });
    run.log('two\nlines');
    const read = (name: string): string => readFileSync(run.path(name), 'utf8');
    expect(read('metrics.jsonl')).toBe('{"epoch":1,"loss":0.5}\n{"epoch":2,"loss":0.25}\n');
    expect(read('timings.jsonl')).toBe('{"epoch":1,"seconds":2.9}\n');
    expect(read('log.txt')).toBe('2026-11-23T17:33:20.000Z two | lines\n');
  });

  it('finishes with results or with the error', () => {
    const run = createRun(options());
    run.update({ backend: { name: 'wasm' } });
    run.finish({ status: 'success', results: { 'hits@1': { value: 0.7, n: 10 } } });
    expect(readRunRecord(run.dir)).toMatchObject({
      status: 'success',
      end: '2026-11-23T17:33:20.000Z',
      backend: { name: 'wasm' },
      results: { 'hits@1': { value: 0.7, n: 10 } },
    });
    const error = new ModelError('loss is NaN', { help: 'lower the rate' });
    run.finish({ status: 'error', error });
    expect(readRunRecord(run.dir)).toMatchObject({
      status: 'error',
      results: { 'hits@1': { n: 10 } },
      error: { code: 'LAB_MODEL', message: 'loss is NaN', help: 'lower the rate' },
    });
    run.finish({ status: 'error', error: new TypeError('own') });
    expect(run.record.error).toEqual({ code: 'LAB_INTERNAL', message: 'own' });
  });

  it('keeps the metrics up to a checkpoint', () => {
    const run = createRun(options());
    run.keepMetrics(() => true);
    expect(existsSync(run.path('metrics.jsonl'))).toBe(false);
    for (const epoch of [1, 2, 3]) run.appendMetrics({ epoch });
    const before = readFileSync(run.path('metrics.jsonl'), 'utf8');
    run.keepMetrics(() => true);
    expect(readFileSync(run.path('metrics.jsonl'), 'utf8')).toBe(before);
    run.keepMetrics((row) => Number(row.epoch) <= 2);
    run.appendMetrics({ epoch: 3 });
    expect(readFileSync(run.path('metrics.jsonl'), 'utf8')).toBe(before);
  });
});

describe('resumeRun', () => {
  it('repairs what a kill left', () => {
    const run = createRun(options());
    run.appendMetrics({ epoch: 1 });
    appendFileSync(run.path('metrics.jsonl'), '{"epoch":2,"lo');
    writeFileSync(run.path('.run.json.123-4.tmp'), '{');
    const again = resumeRun(run.dir);
    expect(again.record).toEqual(run.record);
    again.appendMetrics({ epoch: 2 });
    expect(readFileSync(again.path('metrics.jsonl'), 'utf8')).toBe('{"epoch":1}\n{"epoch":2}\n');
    expect(readdirSync(run.dir).sort()).toEqual(['lock', 'metrics.jsonl', 'run.json']);
    again.finish({ status: 'success' });
    expect(readdirSync(run.dir).sort()).toEqual(['metrics.jsonl', 'run.json']);
  });

  it('locks no folder that is no run', () => {
    mkdirSync(parent);
    expect(() => resumeRun(parent)).toThrow('no such file');
    expect(readdirSync(parent)).toEqual([]);
  });
});

describe('openRun', () => {
  it('changes nothing: another process may be at work', () => {
    const run = createRun(options());
    appendFileSync(run.path('metrics.jsonl'), '{"epoch":2,"lo');
    writeFileSync(run.path('.run.json.123-4.tmp'), '{');
    const before = readdirSync(run.dir);
    expect(openRun(run.dir).record).toEqual(run.record);
    expect(readdirSync(run.dir)).toEqual(before);
  });

  it.each([
    ['{"schemaVersion":2}', 'schema version is 2, this program reads 1'],
    ['{}', 'schema version is absent'],
    ['[]', 'schema version is absent'],
    ['{"schemaVersion":1}', 'run.json: id'],
    ['{"schemaV', 'not JSON'],
  ])('refuses the record %s', (content, message) => {
    mkdirSync(parent);
    writeFileSync(join(parent, 'run.json'), content);
    expect(() => openRun(parent)).toThrow(DataError);
    expect(() => openRun(parent)).toThrow(message);
  });

  it('refuses a folder that is no run', () => {
    expect(() => openRun(join(parent, 'none'))).toThrow('no such file');
  });
});
