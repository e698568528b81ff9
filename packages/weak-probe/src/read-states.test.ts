import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { selectBackend } from '@lab/tensor';
import { beforeAll, describe, expect, it } from 'vitest';
import { organismCollection } from './__fixtures__/organism.js';
import { run } from './__fixtures__/run-program.js';
import { collectStates } from './collect.js';
import type { GraftResult } from './graft-result.js';
import type { LensResult } from './lens-result.js';
import { readResult } from './run-files.js';
import type { SteerResult } from './steer-result.js';

const dir = join(temporaryFolder(), 'run');
/** Two more collections: of all tokens, and of another model. */
const [tokens, other] = [join(temporaryFolder(), 'tokens'), join(temporaryFolder(), 'other')];
const backend = ['--backend', 'wasm', '--threads', '1'];

beforeAll(async () => {
  await selectBackend('wasm');
  await collectStates(await organismCollection(dir, { limit: 6, settings: ['data.format=chat'] }));
  const all = ['data.format=chat', 'states.positions=tokens'];
  await collectStates(await organismCollection(tokens, { limit: 2, settings: all }));
  const given = await organismCollection(other, { limit: 2, settings: ['data.format=chat'] });
  await collectStates({ ...given, modelPath: 'example:planted-early', prompts: shortened(given) });
});

/** Prompts with ids that a smaller vocabulary has, too. */
const shortened = ({ prompts }: Awaited<ReturnType<typeof organismCollection>>) =>
  prompts.map((one) => ({ ...one, ids: one.ids.map((id) => id % 64) }));

const done = async (args: readonly string[]) => {
  const found = await run([...args, ...backend]);
  expect(found.code, found.stderr).toBe(0);
  return found.stdout;
};

const linesOf = (name: string) => readFileSync(join(dir, name), 'utf8').trimEnd().split('\n');
/** Leaves so many lines of a file, as a call that was killed does. */
const cutTo = (name: string, count: number) =>
  writeFileSync(join(dir, name), `${linesOf(name).slice(0, count).join('\n')}\n{"torn":`);

describe('--dry-run', () => {
  it.each([
    ['lens', /0 of a prompt, 72 rows/],
    ['graft', /time {9}about/],
    ['steer', /operations {3}\S+ TFLOP/],
  ])('of %s says what it will take, and leaves the run as it is', async (verb, text) => {
    const before = readdirSync(dir);
    expect(await done([verb, dir, '--dry-run', '--json'])).toContain('"seconds"');
    expect(await done([verb, dir, '--dry-run'])).toMatch(text);
    expect(readdirSync(dir)).toEqual(before);
  });
});

describe('lens', () => {
  it('says what each state brings up, and how alike prompts are', async () => {
    const text = await done(['lens', dir, '--follow', 'Sorry,Sure', '--top', '3']);
    expect(text).toContain('top-3 consistency, state 3');
    const lens = readResult<LensResult>(dir, 'lens')!;
    expect(lens).toMatchObject({ top: 3, norm: 'once', layerCount: 5, middleStates: [3] });
    expect(lens.classes.map(({ label }) => label)).toEqual(['answered', 'refused']);
    const [answered, refused] = [lens.classes[0]!, lens.classes[1]!];
    expect(refused.table.states).toHaveLength(6);
    const sharesAt = (state: number) =>
      [answered, refused].map(({ table }) => table.states[state]!.kindShares);
    // Both classes bring up answers before the heads that refusals pass through, one behind them.
    for (const { negative, positive } of sharesAt(2))
      expect(positive).toBeGreaterThan(2 * negative);
    const [yes, no] = sharesAt(5);
    expect(yes!.positive).toBeGreaterThan(no!.positive);
    expect(no!.negative).toBeGreaterThan(yes!.negative);
    const paths = refused.followed.map(({ text: token, states }) => [token.trim(), states.length]);
    expect(paths).toEqual([
      ['Sorry', 6],
      ['Sure', 6],
    ]);
    expect(refused.consistency.interval).not.toBeNull();
  });
  it('goes on where it was ended, to the same result', async () => {
    const whole = readFileSync(join(dir, 'lens.json'), 'utf8');
    const records = linesOf('lens-1.jsonl');
    cutTo('lens-1.jsonl', 4);
    await done(['lens', dir, '--follow', 'Sorry,Sure', '--top', '3']);
    expect(readFileSync(join(dir, 'lens.json'), 'utf8')).toBe(whole);
    expect(linesOf('lens-1.jsonl')).toEqual(records);
  });
  it('lets later blocks read states that stand at the end of a text', async () => {
    const patch = ['--patchscope', 'identity', '--classes', 'refused'];
    await done(['lens', dir, ...patch]);
    const lens = readResult<LensResult>(dir, 'lens')!;
    expect(lens.patchscope).toBe('cat -> cat; 1135 -> 1135; hello -> hello; ?');
    const cellsOf = ({ classes }: LensResult) => classes[0]!.table.states.map(({ cells }) => cells);
    const patched = cellsOf(lens);
    expect(await done(['lens', dir, ...patch, '--dry-run'])).toMatch(/18 of a prompt, 36 rows/);
    await done(['lens', dir, '--classes', 'refused']);
    const plain = cellsOf(readResult<LensResult>(dir, 'lens')!);
    expect(patched[5]).toEqual(plain[5]);
    expect(patched.slice(0, 5)).not.toEqual(plain.slice(0, 5));
  });
  it('trains a tuned lens and reads states through it', async () => {
    const file = join(dir, 'tuned.safetensors');
    const settings = ['--set', 'lens.topK=2'];
    const on = ['--tune-on', tokens, '--tune-steps', '5'];
    await done(['lens', dir, '--tune', file, ...on, ...settings]);
    expect(readResult<LensResult>(dir, 'lens')).toMatchObject({ tunedLens: file, top: 2 });
    const trained = readFileSync(join(dir, 'lens.json'), 'utf8');
    await done(['lens', dir, '--tuned', file, ...settings]);
    expect(readFileSync(join(dir, 'lens.json'), 'utf8')).toBe(trained);
  });
});

describe('graft', () => {
  const few = ['--set', 'graft.maxTokens=6', '--set', 'graft.recipients=5'];
  const args = ['graft', dir, '--states', '0,3,5', '--lens', ...few];
  it('says at which state donors tell, and controls do not', async () => {
    const text = await done([...args, '--responses']);
    expect(text).toContain('5 donors of answered, 5 recipients of refused');
    const graft = readResult<GraftResult>(dir, 'graft')!;
    expect(graft.points).toHaveLength(10);
    const shares = graft.responses!.map(({ source, refusalShare }) => [source, refusalShare]);
    expect(shares[0]).toEqual(['none', 1]);
    expect(graft.lens!.with.states[5]!.kindShares.positive).toBeGreaterThan(
      graft.lens!.without.states[5]!.kindShares.positive,
    );
    const kept = linesOf('graft-responses.jsonl').slice(1);
    expect(kept).toHaveLength(20);
    for (const line of kept) expect(JSON.parse(line)).not.toHaveProperty('text');
  });
  it('goes on where it was ended, to the same result', async () => {
    const whole = readFileSync(join(dir, 'graft.json'), 'utf8');
    cutTo('graft.jsonl', 7);
    cutTo('graft-responses.jsonl', 8);
    await done([...args, '--responses']);
    expect(readFileSync(join(dir, 'graft.json'), 'utf8')).toBe(whole);
  });
  it('goes the other way, and keeps texts where that is asked for', async () => {
    const more = ['--reverse', '--responses', '--store-responses', '--sources', 'mean'];
    const other = ['--beside', 'refused', '--positions=-2,-1', '--judge', 'jailbreakbench'];
    await done([...args, ...more, ...other]);
    const graft = readResult<GraftResult>(dir, 'graft')!;
    expect(graft.donors.label).toBe('refused');
    expect(graft.beside).toMatchObject({ label: 'refused', n: 5, refusalShare: 1 });
    expect(graft.beside!.responses!.refusalShare).toBe(1);
    expect(JSON.parse(linesOf('graft-responses.jsonl')[1]!)).toHaveProperty('text');
  });
});

describe('steer', () => {
  it('adds and removes the direction of a probe', async () => {
    const doses = ['--doses=-1,0,1', '--draws', '2'];
    const text = await done(['steer', dir, '--state', '4', '--probe', 'svm', ...doses]);
    expect(text).toContain('direction of svm at state 4, towards refused');
    const steer = readResult<SteerResult>(dir, 'steer')!;
    for (const { doses: points, causal } of steer.classes) {
      expect(points.map(({ dose }) => dose)).toEqual([-1, 0, 1]);
      expect(points[2]!.gap).toBeGreaterThan(points[0]!.gap);
      expect(causal.random.gapEffects).toHaveLength(2);
    }
  });
  it('goes on where it was ended, to the same result', async () => {
    const args = ['steer', dir, '--state', '4', '--probe', 'svm', '--doses=-1,0,1', '--draws', '2'];
    const whole = readFileSync(join(dir, 'steer.json'), 'utf8');
    const records = linesOf('steer.jsonl');
    // Three doses and the removal, of each class.
    expect(records).toHaveLength(1 + 8);
    cutTo('steer.jsonl', 3);
    await done(args);
    expect(readFileSync(join(dir, 'steer.json'), 'utf8')).toBe(whole);
    expect(linesOf('steer.jsonl')).toEqual(records);
    await done([...args, '--positions', 'last']);
    expect(readFileSync(join(dir, 'steer.json'), 'utf8')).not.toBe(whole);
    expect(readdirSync(dir).filter((name) => name.startsWith('steer-'))).toHaveLength(1);
  });
});

describe('correlate', () => {
  it('sets consistencies against attack success', async () => {
    const file = join(dir, 'models.json');
    const success = [0.1, 0.5, 0.3];
    const models = success.map((attackSuccess, at) => ({
      run: dir,
      name: `m${at}`,
      attackSuccess,
    }));
    writeFileSync(file, JSON.stringify(models));
    const { code, stderr } = await run(['correlate', file]);
    expect(code).toBe(3);
    expect(stderr).toContain('one side is the same for all 3 models');
  });
  it('draws models that differ, beside what is published', async () => {
    const own = JSON.parse(readFileSync(join(dir, 'lens.json'), 'utf8')) as {
      classes: { consistency: { value: number } }[];
    };
    const consistencies = [0.9, 0.5, 0.2, 0.4];
    const models = consistencies.map((value, at) => {
      const folder = join(temporaryFolder(), `m${at}`);
      mkdirSync(folder);
      for (const one of own.classes) one.consistency.value = value;
      writeFileSync(join(folder, 'lens.json'), JSON.stringify(own));
      return { run: folder, attackSuccess: 1 - value + 0.02 * (at % 2) };
    });
    const file = join(dir, 'models.json');
    writeFileSync(file, JSON.stringify(models));
    const out = join(dir, 'scatter');
    const { code, stdout, stderr } = await run(['correlate', file, '--out', out]);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/spearman +-1\.000|spearman +−?-?1/);
    expect(stdout).toContain('-0.516 (malicious), -0.81 (jailbreak)');
    const [figure] = readdirSync(join(out, 'figures'));
    expect(figure).toBe('consistency-and-attack-success.csv');
  });
});

describe('bad input', () => {
  it.each([
    [['lens', dir, '--top', '0'], 2, /topK|top is 0/],
    [['lens', dir, '--top', '9999'], 2, /top is 9999/],
    [['lens', dir, '--classes', 'nope'], 2, /no class nope/],
    [['lens', dir, '--words', '/none.json'], 3, /none\.json/],
    [['lens', dir, '--follow', 'Donaudampfschiff'], 2, /token by itself/],
    [['lens', dir, '--tune', 'a', '--tuned', 'b'], 2, /given both/],
    [['lens', dir, '--patchscope', 'a', '--tuned', 'b'], 2, /given both/],
    [['lens', '/nowhere'], 3, /nowhere/],
    [['graft', dir, '--states', '9'], 2, /no state 9/],
    [['graft', dir, '--states', 'x'], 2, /no number/],
    [['graft', dir, '--sources', 'meen'], 2, /no such source/],
    [['graft', dir, '--refused', 'answered'], 2, /both answered/],
    [['graft', dir, '--judge', 'gcg', '--responses'], 2, /not shipped/],
    [['graft', dir, '--model', 'example:planted-early'], 3, /another model/],
    [['graft', dir, '--donor-run', other], 3, /another model/],
    [['graft', dir, '--donor-run', tokens], 2, /states of tokens/],
    [['lens', tokens], 2, /positions tokens/],
    [['steer', dir, '--state', '0'], 2, /rows of this state are the same/],
    [['steer', dir, '--draws', '0'], 2, /--draws is 0/],
    [['correlate', '/none.json'], 3, /none\.json/],
  ])('%j ends with %i', async (args, code, text) => {
    const found = await run(args[0] === 'correlate' ? args : [...args, ...backend]);
    expect(found.stdout + found.stderr).toMatch(text);
    expect(found.code).toBe(code);
    expect(found.stderr).toContain('help:');
  });
});
