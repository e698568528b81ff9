import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { run } from '../__fixtures__/run-program.js';
import type { ProbeResult } from '../probe-result.js';
import { readResult } from '../run-files.js';

let dir = '';
let other = '';

beforeAll(async () => {
  const folder = temporaryFolder();
  [dir, other] = [join(folder, 'one'), join(folder, 'other')];
  for (const [out, limit] of [
    [dir, '40'],
    [other, '20'],
  ] as const) {
    const args = ['--model', 'example:organism', '--classes', 'answered,refused', '--limit', limit];
    const { code, stderr } = await run([
      ...['collect', ...args, '--format', 'chat', '--backend', 'wasm', '--out', out],
    ]);
    expect(code, stderr).toBe(0);
  }
});

const probes = () => readResult<ProbeResult>(dir, 'probes')!;

describe('weak-probe probe', () => {
  it('prints a row a state, controls, and where the classes emerge', async () => {
    const { code, stdout, stderr } = await run(['probe', dir, '--probes', 'svm,mass-mean']);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/state +svm +mass-mean/);
    expect(stdout).toContain('texts alone: majority .500');
    expect(stdout).toMatch(/svm is (surely above|at no state)/);
    expect(stdout).toContain(`next: weak-probe report ${dir}`);
    const { states, controls, classes } = probes();
    expect(classes).toEqual([
      { label: 'answered', count: 40 },
      { label: 'refused', count: 40 },
    ]);
    expect(states[0]!.degenerateFeatures).toBe(true);
    expect(controls.map(({ control }) => control)).toContain('naive-bayes');
    const lines = readFileSync(join(dir, 'predictions.jsonl'), 'utf8').trim().split('\n');
    expect(lines.length).toBe(states.length * 2 * 24);
  });

  it('tells requests apart behind the heads that refuse, where words alone do not', async () => {
    expect((await run(['probe', dir, '--probes', 'svm', '--folds', '5'])).code).toBe(0);
    const { states, controls, emergence } = probes();
    const best = Math.max(...controls.map(({ accuracy }) => accuracy));
    expect(best).toBeLessThan(0.65);
    const [none, , , first, both, end] = states.map((one) => one.probes[0]!);
    expect(none!.accuracy).toBe(0.5);
    // Without a head of block 2 or of block 3 nothing is refused: state 3 is behind one of them.
    for (const probe of [first!, both!, end!]) expect(probe.interval.low).toBeGreaterThan(best);
    expect([both!.accuracy, end!.accuracy]).toEqual([1, 1]);
    expect(emergence[0]!.firstState).toBeGreaterThan(0);
    expect(emergence[0]!.lastingState).toBeLessThanOrEqual(3);
  });

  it('goes on where an earlier call was ended, with the same result', async () => {
    const args = ['probe', dir, '--probes', 'svm', '--repeats', '2'];
    expect((await run(args)).code).toBe(0);
    const whole = readFileSync(join(dir, 'probes.json'), 'utf8');
    const records = join(dir, 'probe-states.jsonl');
    const [key, first, second] = readFileSync(records, 'utf8').split('\n');
    // Ended while the second state was written.
    writeFileSync(records, `${key}\n${first}\n${second!.slice(0, 40)}`);
    expect((await run(args)).code).toBe(0);
    expect(readFileSync(join(dir, 'probes.json'), 'utf8')).toBe(whole);
  });

  it('gives the same numbers twice, and none of a collection that is not finished', async () => {
    const args = ['probe', dir, '--probes', 'svm,mlp', '--states', '4'];
    const filesAfter = async () => {
      rmSync(join(dir, 'probe-states.jsonl'), { force: true });
      expect((await run(args)).code).toBe(0);
      return ['probes.json', 'predictions.jsonl'].map((name) =>
        readFileSync(join(dir, name), 'utf8'),
      );
    };
    expect(await filesAfter()).toEqual(await filesAfter());
    const cut = join(temporaryFolder(), 'cut');
    cpSync(dir, cut, { recursive: true });
    const rows = readFileSync(join(cut, 'states', 'rows.jsonl'), 'utf8').split('\n');
    writeFileSync(join(cut, 'states', 'rows.jsonl'), `${rows.slice(0, 9).join('\n')}\n`);
    const early = await run(['probe', cut]);
    expect(early.code).toBe(3);
    expect(early.stderr).toContain(`weak-probe collect --resume ${cut}`);
  });

  it('measures on another collection, class by class', async () => {
    const args = [
      ...['probe', dir, '--probes', 'svm', '--states', '3', '--transfer', other],
      ...['--learning', '40,10'],
    ];
    const { code, stdout, stderr } = await run(args);
    expect(code, stderr).toBe(0);
    expect(stdout).toContain(`on ${other}`);
    expect(stdout).toMatch(/svm at state 3 by training rows: \S+ of 10, \S+ of 40/);
    expect(probes().learning!.points.map(({ trainCount }) => trainCount)).toEqual([10, 40]);
    expect(existsSync(join(dir, 'transfer.json'))).toBe(true);
  });

  it.each([
    [['--states', '99'], /no state 99/, 2],
    [['--states', 'x'], /no number/, 2],
    [['--probes', 'magic'], /magic/, 2],
    [['--folds', '30'], /30 folds; class answered has 20/, 3],
    [['--rename', 'x'], /names no two classes/, 2],
    [['--transfer', '.'], /run.json/, 3],
    [['--transfer', 'SELF', '--rename', 'refused=harmful'], /do not match/, 2],
  ])('refuses %j', async (flags, message, expected) => {
    const { code, stderr } = await run([
      'probe',
      other,
      ...flags.map((flag) => (flag === 'SELF' ? dir : flag)),
    ]);
    expect(stderr).toMatch(message);
    expect(code).toBe(expected);
  });
});

describe('weak-probe monitor', () => {
  it('is made of the best state, and scores a collection', async () => {
    expect((await run(['probe', dir, '--probes', 'svm'])).code).toBe(0);
    const out = join(dir, 'm.json');
    const made = await run(['monitor', dir, '--out', out]);
    expect(made.code, made.stderr).toBe(0);
    expect(made.stdout).toMatch(/svm at state \d+: finds/);
    const csv = join(dir, 'scores.csv');
    const scored = await run(['monitor', other, '--score', out, '--csv', csv]);
    expect(scored.code, scored.stderr).toBe(0);
    expect(scored.stdout).toMatch(/class +rows +alarms/);
    expect(readFileSync(csv, 'utf8').trim().split('\n').length).toBe(41);
  });

  it('refuses a file that is no monitor, and a state that is not known', async () => {
    const bad = join(dir, 'bad.json');
    writeFileSync(bad, '{');
    const results = await Promise.all([
      run(['monitor', dir, '--score', bad]),
      run(['monitor', dir, '--score', join(dir, 'probes.json')]),
      run(['monitor', other]),
    ]);
    expect(results.map(({ code }) => code)).toEqual([3, 3, 2]);
    expect(results[1]!.stderr).toContain('this is no monitor');
    expect(results[2]!.stderr).toContain('weak-probe probe');
  });
});
