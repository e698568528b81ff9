import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PromptRecord } from '@lab/transformer';
import { beforeAll, describe, expect, it } from 'vitest';
import { file, folder, jsonOf, model, modelFlag, ok, planted, requests } from './planted-model.js';
import { runProgram } from './sahara-program.js';

let refused: readonly PromptRecord[];
let answered: readonly PromptRecord[];
let sets: readonly string[];
let prompts: readonly string[];

beforeAll(async () => {
  [refused, answered] = [await requests('refused'), await requests('answered')];
  prompts = ['--prompts', file(refused), '--format', 'direct'];
  sets = [...prompts, '--harmless', file(answered, 'harmless.jsonl')];
});

const readJson = (dir: string, name: string) =>
  JSON.parse(readFileSync(join(dir, name), 'utf8')) as Record<string, unknown>;

describe('scores.json', () => {
  it('of a search has every head alone and the group, for compare and for ablate', async () => {
    const [scan, group] = [folder(), folder()];
    await ok('ships', ...model, ...prompts, '--out', scan);
    const size = ['--size', '2', '--measure', 'divergence'];
    await ok('sahara', ...model, ...prompts, ...size, '--out', group);
    const scores = readJson(group, 'scores.json');
    expect(scores['group']).toHaveLength(2);
    expect((scores['scores'] as (number | null)[][]).flat()).not.toContain(null);
    const compared = await ok('compare', scan, group, '--top', '1');
    expect(compared).toMatch(/1 of the best 1 heads are the same/);
    expect(compared).toMatch(/group of the first none, of the second 1-5, /);
    const both = ['--scores', group, '--max-new-tokens', '12', '--out', folder()];
    const run = await jsonOf('ablate', ...model, ...prompts, ...both);
    expect((run['results'] as { heads: object[] }).heads).toEqual(scores['group']);
  });

  it('of other methods names heads that can be ablated and compared', async () => {
    const [scan, direction, probes] = [folder(), folder(), folder()];
    await ok('ships', ...model, ...prompts, '--out', scan);
    const stdout = await ok('baseline', 'refusal-direction', ...model, ...sets, '--out', direction);
    expect(stdout).toMatch(/1 +1-5[\s\S]*next: sahara report/);
    const run = ['--scores', direction, '--max-new-tokens', '12', '--out', folder()];
    const found = await jsonOf('ablate', ...model, ...prompts, ...run);
    expect(found['metrics']).toMatchObject({ 'asr.intact': 0, 'asr.ablated': 1 });
    expect(await ok('compare', scan, direction, '--top', '1')).toMatch(/1 of the best 1 heads/);
    await ok('report', direction);
    expect(readFileSync(join(direction, 'report.html'), 'utf8')).toContain(
      'along the refusal direction',
    );
    await ok('baseline', 'probe-heads', ...model, ...sets, '--out', probes);
    const page = join(folder(), '..', 'page.html');
    await ok('report', scan, probes, '--out', page);
    expect(readFileSync(page, 'utf8')).toContain('What a probe reads and what the model uses');
  });
});

describe('ships', () => {
  it('scores harmless prompts as well, and says how sure a rank is', async () => {
    const out = folder();
    const stdout = await ok('ships', ...model, ...sets, '--out', out);
    expect(stdout).toMatch(/rank +head +nats +95 % +ranks, 95 %/);
    expect(stdout).toMatch(/1 +1-5 .* 1 to 1/);
    expect(stdout).toMatch(/concentration \.\d+ \(Gini\): 1 head of 24 hold/);
    expect(stdout).toMatch(/of the best \d+ heads?, also among the best on harmless prompts/);
    const harmless = readJson(out, 'harmless-scores.json') as { data: { promptCount: number } };
    expect(harmless.data.promptCount).toBe(answered.length);
    await ok('report', out);
    const page = readFileSync(join(out, 'report.html'), 'utf8');
    expect(page).toContain('With other prompts');
    expect(page).toContain('Heads of refusals, heads of everything');
  });

  it('puts in what heads give on other prompts', async () => {
    const out = folder();
    const source = ['--ablation', 'patch', '--source', file(answered, 'source.jsonl')];
    const stdout = await ok('ships', ...model, ...prompts, ...source, '--out', out);
    expect(stdout).toMatch(/1 +1-5 /);
    expect(readJson(out, 'scores.json')['source']).toMatchObject({ pairing: 'order' });
    const resumed = await runProgram('ships', '--resume', out, '--backend', 'wasm');
    expect(resumed.code, resumed.stderr).toBe(0);
    const random = ['--pairing', 'random', '--out', folder()];
    expect(await ok('ships', ...model, ...prompts, ...source, ...random)).toMatch(/1 +1-5 /);
    for (const [flags, words] of [
      [['--ablation', 'patch'], /--source FILE is missing/],
      [['--source', 'x.csv'], /--source is of another ablation/],
      [[...source, '--group', '0-0'], /one head at a time/],
    ] as const) {
      const failed = await runProgram('ships', ...model, ...prompts, ...flags, '--out', folder());
      expect(failed.stderr).toMatch(words);
      expect(failed.code).toBe(2);
    }
    const responses = ['--heads', planted, '--ablation', 'patch', '--out', folder()];
    const ablate = await runProgram('ablate', ...model, ...prompts, ...responses);
    expect(ablate.stderr).toMatch(/patch is a change of one head in a scan/);
    expect(ablate.code).toBe(2);
  });
});

describe('ablate', () => {
  it('leaves the model as it is, or leaves out whole layers', async () => {
    const short = ['--max-new-tokens', '6'];
    const intact = await jsonOf(
      ...['ablate', ...model, ...prompts, ...short, '--intact', '--out', folder()],
    );
    expect(intact['metrics']).toEqual({ 'asr.intact': 0 });
    const out = folder();
    const skipped = ['--skip-layers', '2', '--out', out];
    const found = await jsonOf('ablate', ...model, ...prompts, ...short, ...skipped);
    expect(Object.keys(found['metrics'] as object)).toEqual([
      ...['asr.intact', 'asr.without layers 0-1', 'asr.without layers 1-2'],
    ]);
    expect(await ok('report', out)).toMatch(/report\.html/);
    const layered = ['--heads', planted, '--random', '2', '--same-layers', '--out', folder()];
    const alike = await jsonOf('ablate', ...model, ...prompts, ...short, ...layered);
    expect(alike['metrics']).toMatchObject({ 'asr.random-1': 0, 'asr.random-2': 0 });
    const both = await runProgram('ablate', ...model, ...prompts, '--intact', '--heads', planted);
    expect(both.stderr).toMatch(/heads are named, and none is ablated/);
    const many = await runProgram('ablate', ...model, ...prompts, '--skip-layers', '9');
    expect(many.stderr).toMatch(/runs of 9 layers/);
    expect([both.code, many.code]).toEqual([2, 2]);
  });
});

describe('plan', () => {
  it('says what a scan would take, of a file or of so many tokens', async () => {
    const out = await ok('plan', ...model, '--tokens', '32', '--count', '10');
    expect(out).toMatch(/^scan +24 heads on 10 prompts\n/);
    expect(out).toMatch(/\nwork +[\d.e-]+ TFLOP, \d+ % of a pass for every head\n/);
    expect(out).toMatch(/\ntime +about \d[\s\S]*\nmemory +about .*, weights resident\n$/);
    const planOf = async (...flags: readonly string[]) =>
      (await jsonOf('plan', ...model, ...flags))['plan'] as Record<string, number>;
    const ships = await planOf(...prompts);
    const search = await planOf(...prompts, '--verb', 'sahara', '--size', '2');
    expect(ships).toMatchObject({ headCount: 24, promptCount: refused.length });
    expect(ships['operations']).toBeLessThan(ships['naiveOperations']!);
    // Two steps over the heads, less the one that is picked in the first.
    const times = search['operations']! / ships['operations']!;
    expect(times).toBeGreaterThan(1.5);
    expect(times).toBeLessThan(2.1);
    const none = await runProgram('plan', ...model);
    expect(none.stderr).toMatch(/--prompts/);
    expect(none.code).toBe(2);
  });
});

describe('surgery and pruning', () => {
  it('surgery is undone from what it kept', async () => {
    const [once, twice, undone] = [folder(), folder(), folder()];
    await ok('surgery', ...modelFlag, '--heads', planted, '--out', once);
    await ok('surgery', '--model', once, '--heads', '0-1', '--ablation', 'zero', '--out', twice);
    const stdout = await ok('surgery', '--undo', '--model', twice, '--out', undone);
    expect(stdout).toMatch(/put back what surgery took from 2 weights/);
    expect(await ok('compare', modelFlag[1]!, undone)).toMatch(/differ by 0\.00 %/);
    expect(existsSync(join(undone, 'sahara-undo'))).toBe(false);
    const none = await runProgram('surgery', '--undo', '--model', undone, '--out', folder());
    expect(none.stderr).toMatch(/has no sahara-undo/);
    expect(none.code).toBe(3);
  });

  it('neurons are found between two models, and patched while generating', async () => {
    const [base, out] = [folder(), folder()];
    await ok('surgery', ...modelFlag, '--heads', planted, '--out', base);
    const flags = ['--donor', base, '--share', '0.5', '--max-new-tokens', '10', '--out', out];
    const stdout = await ok('baseline', 'neurons', ...model, ...prompts, '--limit', '2', ...flags);
    expect(stdout).toMatch(
      /[\d,]+ of [\d,]+ neurons \(50\.0 %\) hold what those of the donor hold/,
    );
    expect(stdout).toMatch(/intact +\.000[\s\S]*ablated +1\.000[\s\S]*random-1/);
    const { neurons } = readJson(out, 'neurons.json') as { neurons: { layer: number }[] };
    // The head is of layer 1: neurons before it are alike in both models.
    expect(neurons[0]!.layer).toBeGreaterThan(0);
    await ok('report', out);
    expect(readFileSync(join(out, 'report.html'), 'utf8')).toContain(
      'with neurons of the other model',
    );
    const none = await runProgram('baseline', 'neurons', ...model, ...prompts);
    expect(none.stderr).toMatch(/--donor DIR is missing/);
    expect(none.code).toBe(2);
  });

  it('sparse-gpt writes a checkpoint that can be measured beside others', async () => {
    const out = folder();
    const stdout = await ok('baseline', 'sparse-gpt', ...model, ...prompts, '--out', out);
    expect(stdout).toMatch(/removed [\d,]+ weights of blocks \((49|50)\.\d+ %\)/);
    expect(existsSync(join(out, 'config.json'))).toBe(true);
  });
});
