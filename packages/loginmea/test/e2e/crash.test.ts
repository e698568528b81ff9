import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readRunRecord } from '@lab/core';
import { type ProcessSignal, temporaryFolder } from '@lab/core/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  loginmea,
  metricsOf,
  onlyRun,
  predictionsOf,
  small,
  writePair,
} from './loginmea-process.js';

const EPOCHS = 30;
/** First epoch of the stage with pseudo seeds, in which the optimiser starts anew once. */
const START = 15;

let data: string;
/** Folder, metrics, predictions and results of an undisturbed run. */
let undisturbed: { run: string; metrics: string; predictions: string; results: unknown };

const training = () => [
  ...['train', '--data', data, '--epochs', String(EPOCHS), ...small],
  ...['pseudoSeeds.enabled=true', `pseudoSeeds.start=${START}`, 'pseudoSeeds.every=2']
    .concat('pseudoSeeds.accept=10', 'evaluation.every=7', 'training.checkpointSeconds=0')
    .flatMap((entry) => ['--set', entry]),
];

const resultsOf = (run: string) => readRunRecord(run).results?.['metrics'];
const rowCount = (run: string) => metricsOf(run).trim().split('\n').length;

/** The run is whole, and every byte is that of the undisturbed one. */
function expectUndisturbed(run: string): void {
  expect(metricsOf(run)).toBe(undisturbed.metrics);
  expect(predictionsOf(run)).toBe(undisturbed.predictions);
  expect(readRunRecord(run).status).toBe('success');
  expect(resultsOf(run)).toEqual(undisturbed.results);
}

beforeAll(async () => {
  data = await writePair(120);
  const out = temporaryFolder();
  const { code, stderr } = await loginmea([...training(), '--out', out]);
  expect(code, stderr).toBe(0);
  const run = onlyRun(out)!;
  undisturbed = {
    run,
    metrics: metricsOf(run),
    predictions: predictionsOf(run),
    results: resultsOf(run),
  };
  expect(rowCount(run)).toBe(EPOCHS);
});

describe('kill -9', () => {
  it('as the optimiser starts anew and later, then --resume, changes no byte', async () => {
    const out = temporaryFolder();
    let argv = [...training(), '--out', out];
    for (const epoch of [START, 24]) {
      const send = [{ after: `epoch ${epoch}/`, signal: 'SIGKILL' as const }];
      const { code } = await loginmea(argv, { send });
      expect(code).toBe(137);
      const run = onlyRun(out)!;
      expect(existsSync(join(run, 'predictions.jsonl'))).toBe(false);
      expect(undisturbed.metrics.startsWith(wholeLines(metricsOf(run)))).toBe(true);
      argv = ['train', '--resume', run];
    }
    const { code, stderr } = await loginmea(argv);
    expect(code, stderr).toBe(0);
    expectUndisturbed(onlyRun(out)!);
  });
});

/** A text without its last line where that is torn. */
const wholeLines = (text: string) => text.slice(0, text.lastIndexOf('\n') + 1);

/** A training that gets a signal when the optimiser has started anew. */
async function interrupted(signal: ProcessSignal, ...flags: readonly string[]) {
  const out = temporaryFolder();
  const send = [{ after: `epoch ${START}/`, signal }];
  const result = await loginmea([...training(), '--out', out, ...flags], { send });
  return { run: onlyRun(out)!, ...result };
}

describe('signals', () => {
  it('SIGINT saves, exits 130, and the resumed run equals a whole one', async () => {
    const { run, code, stdout, stderr } = await interrupted('SIGINT');
    expect([code, stdout]).toEqual([130, '']);
    expect(stderr).toMatch(/saving \.\.\. saved: resume with "loginmea train --resume .*"\n$/);
    expect(stderr).toContain(run);
    expect(readRunRecord(run).status).toBe('interrupted');
    expect(rowCount(run)).toBeLessThan(EPOCHS);
    expect(await loginmea(['train', '--resume', run, '--quiet'])).toMatchObject({ code: 0 });
    expectUndisturbed(run);
  });

  it('SIGTERM under --json exits 143 and says so in its one object', async () => {
    const { run, code, stdout } = await interrupted('SIGTERM', '--json');
    expect(code).toBe(143);
    expect(JSON.parse(stdout)).toMatchObject({
      run,
      status: 'interrupted',
      error: { code: 'LAB_INTERRUPTED' },
    });
  });
});

describe('align', () => {
  it('from a run writes one-to-one pairs of names, most of them right', async () => {
    const pairs = join(temporaryFolder(), 'pairs.csv');
    const argv = ['align', '--run', undisturbed.run, '--matching', 'greedy', '--out', pairs];
    const { code, stderr } = await loginmea(argv);
    expect(code, stderr).toBe(0);
    const [head, ...rows] = readFileSync(pairs, 'utf8').trim().split(/\r?\n/);
    expect(head).toBe('source,target,confidence,score,margin,mutual');
    const named = rows.map((row) => row.split(','));
    expect(new Set(named.map(([, target]) => target)).size).toBe(named.length);
    const gold = new Map(
      undisturbed.predictions
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { source: string; gold: string })
        .map((prediction) => [prediction.source, prediction.gold]),
    );
    const tested = named.filter(([source]) => gold.has(source!));
    expect(tested.length).toBeGreaterThan(40);
    const right = tested.filter(([source, target]) => gold.get(source!) === target);
    expect(right.length).toBeGreaterThan(tested.length / 2);
  });

  it('by an index keeps rows and candidates in the run', async () => {
    const out = temporaryFolder();
    const settings = ['training.layout=blocks', 'evaluation.search=approximate'];
    const flags = settings.flatMap((entry) => ['--set', entry]);
    const argv = ['train', '--data', data, '--epochs', '14', ...small, ...flags, '--out', out];
    const trained = await loginmea(argv);
    expect(trained.code, trained.stderr).toBe(0);
    const run = onlyRun(out)!;
    expect(readFileSync(join(run, 'log.txt'), 'utf8')).toContain('found by an index');
    const pairs = join(temporaryFolder(), 'pairs.csv');
    const { code, stderr } = await loginmea(['align', '--run', run, '--out', pairs]);
    expect(code, stderr).toBe(0);
    const batches = ['forward-0000.safetensors', 'backward-0000.safetensors'];
    for (const name of ['left', 'right', ...batches]) {
      expect(existsSync(join(run, 'search', name)), name).toBe(true);
    }
    const table = readFileSync(pairs, 'utf8').trim().split(/\r?\n/);
    expect(table.length).toBe(1 + predictionsOf(run).trim().split('\n').length);
  });
});
