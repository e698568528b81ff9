import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createRandom, readJsonLines, readRunRecord } from '@lab/core';
import { type ProcessSignal, temporaryFolder } from '@lab/core/testing';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { ibmea, metricsOf, onlyRun, small, programArguments, writePair } from './ibmea-process.js';

const EPOCHS = 60;
const KILLS = 10;
let data: string;
/** Rows and results of an undisturbed run. */
let undisturbed: { metrics: string; result: unknown };

const settings = ['--set', 'pseudoSeeds.enabled=true', '--set', 'pseudoSeeds.start=0'];
const schedule = ['--set', 'pseudoSeeds.every=2', '--set', 'pseudoSeeds.accept=10'];
const training = () => [
  'train',
  '--data',
  data,
  '--epochs',
  String(EPOCHS),
  ...small,
  ...settings,
  ...schedule,
  '--set',
  'evaluation.every=7',
];

beforeAll(async () => {
  data = await writePair(120);
  const out = temporaryFolder();
  const { code, stderr } = await ibmea([...training(), '--out', out]);
  expect(code, stderr).toBe(0);
  const run = onlyRun(out)!;
  undisturbed = { metrics: metricsOf(run), result: readRunRecord(run).results?.['metrics'] };
});

describe('--resume of a run that another process is at', () => {
  it('is refused, exit 2, and disturbs nothing', async () => {
    const out = temporaryFolder();
    const child = spawn(process.execPath, [...programArguments(), ...training(), '--out', out], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const ended = once(child, 'close');
    for await (const text of child.stderr) if (String(text).includes('train  epoch')) break;
    const run = onlyRun(out)!;
    child.kill('SIGSTOP');
    const second = await ibmea(['train', '--resume', run]);
    child.kill('SIGCONT');
    expect(second).toMatchObject({ code: 2, stdout: '' });
    expect(second.stderr).toContain(`the run is in use by process ${child.pid} on `);
    expect(second.stderr).toMatch(/\n {2}help: wait until that process ends/);
    expect(await ended).toEqual([0, null]);
    expect(metricsOf(run)).toBe(undisturbed.metrics);
    expect(existsSync(join(run, 'lock'))).toBe(false);
  });
});

describe('kill -9', () => {
  it('ten times amid the epochs, each followed by --resume, changes no byte', async () => {
    const random = createRandom(20).fork('moments');
    let out = temporaryFolder();
    let kills = 0;
    // A process that is done before its moment does not count: another run takes its place.
    for (let attempt = 0; kills < KILLS && attempt < 4 * KILLS; attempt += 1) {
      const moment = { rows: 1 + random.integer(8), milliseconds: random.integer(30) };
      const code = await killAmid(out, attempt, moment);
      const run = onlyRun(out)!;
      const rows = wholeRows(run);
      if (code === 0) {
        expect(metricsOf(run)).toBe(undisturbed.metrics);
        out = temporaryFolder();
        continue;
      }
      expect(code).toBe(137);
      expect(undisturbed.metrics.startsWith(rows.join('\n'))).toBe(true);
      readRunRecord(run);
      if (rows.length > 0 && rows.length < EPOCHS) kills += 1;
    }
    expect(kills).toBe(KILLS);
    const { code, stderr } = await ibmea(['train', '--resume', onlyRun(out)!]);
    expect(code, stderr).toBe(0);
    const run = onlyRun(out)!;
    expect(metricsOf(run)).toBe(undisturbed.metrics);
    const { status, results } = readRunRecord(run);
    expect(status).toBe('success');
    expect(results?.['metrics']).toEqual(undisturbed.result);
  });
});

describe('kill -9, and another backend afterwards', () => {
  it('goes on, and says that the results may differ', async () => {
    const out = temporaryFolder();
    const code = await killAmid(out, 0, { rows: 3, milliseconds: 0 });
    expect(code).toBe(137);
    const run = onlyRun(out)!;
    const resumed = await ibmea(['train', '--resume', run, '--backend', 'cpu']);
    expect(resumed.code, resumed.stderr).toBe(0);
    const remark = /backend wasm so far, goes on with cpu: .*results may differ/;
    expect(resumed.stderr.replaceAll(/\s+/g, ' ')).toMatch(remark);
    expect(readFileSync(join(run, 'log.txt'), 'utf8')).toMatch(remark);
    expect(readRunRecord(run).backend).toMatchObject({ name: 'cpu' });
    expect(readRunRecord(run).status).toBe('success');
  });
});

/** Rows of metrics that are whole, as text; none when there is no file yet. */
function wholeRows(run: string): string[] {
  const path = join(run, 'metrics.jsonl');
  return existsSync(path) ? readJsonLines(path).rows.map((row) => JSON.stringify(row)) : [];
}

/**
 * Goes on with the only run of a folder, or starts one, and kills it some milliseconds after it has
 * written that many rows itself: on any machine an epoch is under way. Its exit code.
 */
async function killAmid(
  out: string,
  attempt: number,
  moment: { readonly rows: number; readonly milliseconds: number },
): Promise<number> {
  const run = onlyRun(out);
  const start = run === undefined ? [...training(), '--out', out] : ['train', '--resume', run];
  // Every second process saves after every epoch, the others at most once in a second.
  const argv = [...start, '--set', `training.checkpointSeconds=${attempt % 2}`];
  const child = spawn(process.execPath, [...programArguments(), ...argv], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(child, 'close') as Promise<[number | null, string | null]>;
  let isTraining = false;
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    isTraining ||= /^on {5}/m.test(text);
  });
  let last = Number.POSITIVE_INFINITY;
  let written = 0;
  const watch = setInterval(() => {
    const found = isTraining ? onlyRun(out) : undefined;
    if (found === undefined) return;
    const path = join(found, 'metrics.jsonl');
    const count = existsSync(path) ? readFileSync(path, 'utf8').split('\n').length - 1 : 0;
    written += Math.max(0, count - last);
    last = count;
    if (written < moment.rows) return;
    clearInterval(watch);
    setTimeout(() => child.kill('SIGKILL'), moment.milliseconds);
  }, 3);
  const [code, signal] = await ended;
  clearInterval(watch);
  return code ?? (signal === 'SIGKILL' ? 137 : 1);
}

describe('signals', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)(
    '%s saves, exits %i, and the resumed run equals a whole one',
    async (signal, exit) => {
      const out = temporaryFolder();
      const send = [{ after: `epoch ${EPOCHS / 2}/`, signal: signal as ProcessSignal }];
      const { code, stdout, stderr } = await ibmea([...training(), '--out', out], { send });
      expect([code, stdout]).toEqual([exit, '']);
      const run = onlyRun(out)!;
      expect(stderr).toMatch(/saving \.\.\. saved: resume with "ibmea train --resume .*"\n$/);
      expect(stderr).toContain(run);
      expect(readRunRecord(run).status).toBe('interrupted');
      const rows = metricsOf(run).trim().split('\n');
      expect(rows.length).toBeLessThan(EPOCHS);
      expect(await ibmea(['train', '--resume', run, '--quiet'])).toMatchObject({ code: 0 });
      expect(metricsOf(run)).toBe(undisturbed.metrics);
    },
  );

  it('under --json an interrupted run says so in its one object', async () => {
    const out = temporaryFolder();
    const send = [{ after: `epoch ${EPOCHS / 2}/`, signal: 'SIGINT' as const }];
    const { code, stdout } = await ibmea([...training(), '--out', out, '--json'], { send });
    expect(code).toBe(130);
    expect(JSON.parse(stdout)).toMatchObject({
      run: onlyRun(out),
      status: 'interrupted',
      error: { code: 'LAB_INTERRUPTED' },
    });
  });

  it('does not wait for the end of a long evaluation', async () => {
    // By many draws on the real pair: the signal falls into the first one.
    const slow = ['evaluation.every=1', 'evaluation.samples=100', 'evaluation.candidates=all'];
    const out = temporaryFolder();
    const argv = [
      ...['train', '--data', 'example:en-fr-3k', '--out', out],
      ...['--epochs', '50', '--set', 'model.graphSize=64', '--set', 'evaluation.baseline=false'],
      ...slow.flatMap((entry) => ['--set', entry]),
    ];
    const send = [{ after: 'on     ', signal: 'SIGINT' as const }];
    const { code, stderr } = await ibmea(argv, { send });
    expect(code, stderr).toBe(130);
    expect(stderr).toMatch(/saving \.\.\. saved: resume with "ibmea train --resume .*"\n$/);
    expect(existsSync(join(onlyRun(out)!, 'metrics.jsonl'))).toBe(false);
  });
});
