import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { openSafetensors } from '@lab/tensor/io';
import type { PromptRecord } from '@lab/transformer';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  file,
  folder,
  jsonOf,
  model,
  modelFlag,
  name,
  ok,
  planted,
  requests,
} from './planted-model.js';
import { runProgram, writeText } from './sahara-program.js';

let refused: readonly PromptRecord[];
let answered: readonly PromptRecord[];

beforeAll(async () => {
  [refused, answered] = [await requests('refused'), await requests('answered')];
});

describe('surgery', () => {
  it('writes a checkpoint that refuses no more, and undoes it', async () => {
    const edited = folder();
    expect(await ok('surgery', ...modelFlag, '--heads', planted, '--dry-run')).toMatch(
      /would change 1-5: [\d,]+ of [\d,]+ parameters/,
    );
    const stdout = await ok('surgery', ...modelFlag, '--heads', planted, '--out', edited);
    expect(stdout).toMatch(/changed 1-5: [\d,]+ of/);
    const flags = ['--prompts', file(refused), '--format', 'direct', '--max-new-tokens', '12'];
    const run = await jsonOf(
      ...['ablate', '--model', edited, '--backend', 'wasm', ...flags, '--heads', '0-0'],
      ...['--out', folder()],
    );
    expect(run['metrics']).toMatchObject({ 'asr.intact': 1 });
    const undone = folder();
    const parts = ['--donor', `example:${name}`, '--parts', 'heads', '--heads', planted];
    await ok('surgery', '--model', edited, ...parts, '--out', undone);
    const same = await ok('compare', `example:${name}`, undone);
    expect(same).toMatch(/differ by 0\.00 %/);
    expect(await ok('compare', `example:${name}`, edited)).toMatch(/changed most: 1-5/);
  });

  it('leaves the original alone, and says what was done', async () => {
    const edited = folder();
    await ok('surgery', ...modelFlag, '--heads', planted, '--out', edited);
    const text = openSafetensors(join(edited, 'model.safetensors'));
    text.close();
    expect(text.metadata['lab.sahara.surgery']).toContain('1-5');
    expect(existsSync(join(edited, 'tokenizer.json'))).toBe(true);
    const again = await runProgram(
      ...['surgery', ...modelFlag, '--heads', planted, '--out', edited],
    );
    expect(again.code).toBe(3);
    expect(again.stderr).toMatch(/is there already/);
    const none = await runProgram('surgery', ...modelFlag, '--heads', planted);
    expect(none.stderr).toMatch(/--out DIR is missing/);
    expect(none.code).toBe(2);
  });
});

describe('compare', () => {
  it('says how far two scans find the same heads', async () => {
    const prompts = ['--prompts', file(refused), '--format', 'direct'];
    const scans = [folder(), folder()];
    await ok('ships', ...model, ...prompts, '--out', scans[0]!);
    await ok('ships', ...model, ...prompts, '--ablation', 'zero', '--out', scans[1]!);
    const { stderr, stdout } = await runProgram('compare', ...scans, '--top', '1');
    expect(stdout).toMatch(/1 of the best 1 heads are the same/);
    expect(stdout).toMatch(/both +1-5/);
    expect(stderr).toMatch(/differs +kind: uniform and zero/);
    const mixed = await runProgram('compare', scans[0]!, `example:${name}`);
    expect(mixed.code).toBe(2);
  });
});

describe('utility', () => {
  it('measures tasks and a text, intact and ablated', async () => {
    const questions = answered.map(({ prompt }, at) => ({
      ...{ id: `q${at}`, question_stem: prompt, answerKey: 'B' },
      choices: {
        text: ['Sorry I cannot help with that', 'Sure here is your whole plan for this request'],
        label: ['A', 'B'],
      },
    }));
    const task = writeText(
      't.jsonl',
      `${questions.map((one) => JSON.stringify(one)).join('\n')}\n`,
    );
    const text = writeText('t.txt', answered.map(({ prompt }) => prompt).join(' '));
    const flags = ['--task', `openbookqa=${task}`, '--text', text, '--heads', planted];
    const stdout = await ok('utility', ...model, ...flags, '--begin-token');
    expect(stdout).toMatch(/openbookqa +intact +1\.000/);
    expect(stdout).toMatch(/without 1-5/);
    expect(stdout).toMatch(/perplexity intact +[\d.]+/);
    const none = await runProgram('utility', ...model);
    expect(none.stderr).toMatch(/neither --task NAME=FILE nor --text FILE/);
    expect(none.code).toBe(2);
  });
});

describe('baseline', () => {
  const sets = () => [
    ...['--prompts', file(refused), '--harmless', file(answered, 'harmless.jsonl')],
    ...['--format', 'direct'],
  ];

  it('ranks heads by other methods, beside a scan', async () => {
    const scan = folder();
    await ok('ships', ...model, '--prompts', file(refused), '--format', 'direct', '--out', scan);
    const flags = ['--top', '1', '--scores', scan];
    const stdout = await ok('baseline', 'refusal-direction', ...model, ...sets(), ...flags);
    expect(stdout).toMatch(/1 +1-5/);
    expect(stdout).toMatch(/1 of these 1 heads are among the best 1 of the scan/);
    // What the planted head brings is a refusal only behind the layers after it.
    const direct = await jsonOf('baseline', 'refusal-logits', ...model, ...sets());
    expect((direct['scores'] as number[][])[1]![5]).toBeCloseTo(0, 6);
    const probes = await jsonOf('baseline', 'probe-heads', ...model, ...sets());
    const accuracies = (probes['scores'] as number[][]).flat();
    expect(accuracies).toHaveLength(24);
    expect(accuracies.every((one) => one >= 0 && one <= 1)).toBe(true);
  });

  it('writes checkpoints without weights that matter for safety', async () => {
    for (const [method, flags, words] of [
      ['wanda', ['--share', '0.25'], /removed [\d,]+ weights of blocks \(25\.\d+ %\)/],
      ['set-difference', ['--safety-share', '0.1'], /removed [\d,]+ weights of blocks/],
      ['set-difference', ['--score', 'snip', '--safety-share', '0.1'], /removed [\d,]+ weights/],
      ['act-svd', ['--rank', '1'], /removed directions of \d+ matrices/],
    ] as const) {
      const out = folder();
      const stdout = await ok('baseline', method, ...model, ...sets(), ...flags, '--out', out);
      expect(stdout, method).toMatch(words);
      expect(existsSync(join(out, 'config.json')), method).toBe(true);
    }
    const none = await runProgram('baseline', 'wanda', ...model, ...sets());
    expect(none.stderr).toMatch(/--out DIR is missing/);
    const other = await runProgram('baseline', 'sparse', ...model, ...sets());
    expect(other.stderr).toMatch(/no baseline "sparse"/);
    expect(other.code).toBe(2);
  });
});
