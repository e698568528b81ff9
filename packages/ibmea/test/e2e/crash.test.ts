import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createRandom, readJsonLines, readRunRecord } from '@lab/core';
import { type ProcessSignal, temporaryFolder } from '@lab/core/testing';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  ibmea,
  metricsOf,
  onlyRun,
  packageFolder,
  small,
  sourceArguments,
  writePair,
} from './ibmea-process.js';

const EPOCHS = 60;
let data: string;
/** Metrics of an undisturbed run, and how long it took. */
let undisturbed: { metrics: string; milliseconds: number };

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
  const began = performance.now();
  const { code, stderr } = await ibmea([...training(), '--out', out]);
  expect(code, stderr).toBe(0);
  const milliseconds = performance.now() - began;
  undisturbed = { metrics: metricsOf(onlyRun(out)!), milliseconds };
});

describe('--resume of a run that another process is at', () => {
  it('is refused, exit 2, and disturbs nothing', async () => {
    const out = temporaryFolder();
    const child = spawn(process.execPath, [...sourceArguments, ...training(), '--out', out], {
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
  it('at ten random moments, each followed by --resume, changes no byte of metrics', async () => {
    const random = createRandom(20).fork('moments');
    const out = temporaryFolder();
    const started: number[] = [];
    for (let kill = 0; kill < 10; kill += 1) {
      // From the program's start to beyond its end, so that start, training and report are hit.
      const share = 0.15 + 0.9 * random.uniform();
      // The first dies amid its epochs on any machine; clocks decide about the others.
      const signal = AbortSignal.timeout(Math.round(share * undisturbed.milliseconds));
      const moment =
        kill === 0
          ? { send: [{ after: `epoch ${EPOCHS / 2}/`, signal: 'SIGKILL' as const }] }
          : { signal };
      const run = onlyRun(out);
      // Every second process saves after every epoch, the others at most once in a second.
      const seconds = `training.checkpointSeconds=${kill % 2}`;
      const argv = run === undefined ? [...training(), '--out', out] : ['train', '--resume', run];
      await ibmea([...argv, '--set', seconds], moment);
      const left = onlyRun(out);
      if (left === undefined) continue;
      readRunRecord(left);
      const path = join(left, 'metrics.jsonl');
      if (!existsSync(path)) continue;
      const { rows } = readJsonLines(path);
      const lines = rows.map((row) => JSON.stringify(row)).join('\n');
      expect(undisturbed.metrics.startsWith(lines)).toBe(true);
      started.push(rows.length);
    }
    expect(started[0]).toBeGreaterThan(0);
    expect(started[0]).toBeLessThan(EPOCHS);
    const argv = ['train', '--resume', onlyRun(out)!, '--epochs', String(EPOCHS)];
    const { code, stderr } = await ibmea(argv);
    expect(code, stderr).toBe(0);
    expect(metricsOf(onlyRun(out)!)).toBe(undisturbed.metrics);
    expect(readRunRecord(onlyRun(out)!).status).toBe('success');
  });
});

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

  it('a second Ctrl-C ends at once and says what is lost', async () => {
    // An evaluation by many draws on the real pair: it takes far longer than the two signals.
    const slow = ['evaluation.every=1', 'evaluation.samples=100', 'evaluation.candidates=all'];
    const argv = [
      ...['train', '--data', join(packageFolder, 'data/en-fr-3k'), '--out', temporaryFolder()],
      ...['--epochs', '50', '--set', 'model.graphSize=64', '--set', 'evaluation.baseline=false'],
      ...slow.flatMap((entry) => ['--set', entry]),
    ];
    const { code, stderr } = await interruptTwice(argv);
    expect(code).toBe(130);
    expect(stderr).toContain('saving ... ');
    expect(stderr).toContain('the epochs since the last checkpoint are lost');
    expect(stderr).not.toContain('saved: resume');
  });
});

/** Presses Ctrl-C when the training has begun, and again when the program says that it saves. */
function interruptTwice(args: readonly string[]): Promise<{ code: number | null; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...sourceArguments, ...args], { stdio: 'pipe' });
    let stderr = '';
    let pressed = 0;
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
      if (pressed === 0 && /^on {5}/m.test(stderr)) {
        pressed = 1;
        child.kill('SIGINT');
      } else if (pressed === 1 && stderr.includes('saving ... ')) {
        pressed = 2;
        // Signals within 300 ms count as one key press.
        setTimeout(() => child.kill('SIGINT'), 400);
      }
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stderr }));
  });
}
