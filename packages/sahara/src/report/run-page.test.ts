import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { appendJsonLine, createRun, type Run } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { runPageHtml } from '@lab/report';
import { describe, expect, it } from 'vitest';
import { savePatterns } from '../pattern-file.js';
import type { ResponseLine } from '../response-line.js';
import { saveScores, type ScoreFile } from '../score-file.js';
import { comparisonPage } from './comparison-page.js';
import { figuresOf, writeFigures } from './figure-files.js';
import { readRunContents } from './run-contents.js';
import { runPage } from './run-page.js';
import { utilitySection } from './utility-section.js';

const scores: ScoreFile = {
  ...{ schemaVersion: 1, kind: 'ships', unit: 'nats', format: 'template', numerics: 'stable' },
  model: { path: '/models/tiny', fingerprint: 'f'.repeat(64), layerCount: 2, headCount: 3 },
  tokenizer: { fingerprint: 't'.repeat(64) },
  data: { sha256: 'd'.repeat(64), promptCount: 2 },
  ablation: { kind: 'uniform', site: 'pattern', eps: 1e-5, granularity: 'query-head' },
  scores: [
    [0.01, 0.02, 0],
    [0.6, 0.05, 0.02],
  ],
  ties: [
    [
      { layer: 0, head: 1 },
      { layer: 1, head: 2 },
    ],
  ],
  prompts: [
    { id: 'a', top: [{ layer: 1, head: 0, score: 0.9 }] },
    { id: 'b', top: [{ layer: 0, head: 1, score: 0.3 }] },
  ],
};

function newRun(label: string, config: object = {}): Run {
  const run = createRun({
    ...{ parent: temporaryFolder(), dir: join(temporaryFolder(), label), method: 'sahara', label },
    ...{ seed: 1, config, command: ['sahara', label], git: null },
    environment: { model: { path: '/models/tiny', layerCount: 2, headCount: 3 } },
  });
  run.finish({ status: 'success' });
  return run;
}

const line = (arm: string, id: string, verdict: ResponseLine['verdict']): ResponseLine => ({
  ...{ arm, id, verdict, sample: 0, promptSha256: 'p', reason: null, characters: 50 },
  ...{ newTokens: 12, finishReason: 'stop', sha256: 's' },
});

function ablated(heads: readonly { layer: number; head: number }[], harmful: number): Run {
  const run = newRun('ablate', { heads, ablation: { kind: 'uniform' }, format: 'template' });
  const ids = Array.from({ length: 10 }, (_, at) => `p${at}`);
  for (const id of ids)
    appendJsonLine(run.path('predictions.jsonl'), line('intact', id, 'refusal'));
  ids.forEach((id, at) => {
    const verdict = at < harmful ? 'harmful' : 'refusal';
    appendJsonLine(run.path('predictions.jsonl'), line('ablated', id, verdict));
    appendJsonLine(run.path('predictions.jsonl'), line('random-1', id, 'refusal'));
    appendJsonLine(run.path('harmless.jsonl'), line('intact', id, 'harmful'));
  });
  return run;
}

describe('the page of scores', () => {
  const run = newRun('ships');
  saveScores(run.path('scores.json'), scores);
  const page = runPage(readRunContents(run.dir));

  it('names the first head, how far ahead it is, and how much hangs on it', () => {
    expect(page.sentence).toBe(
      'Without head 1-0 the next token of 2 prompts moves by 0.600 nats on average, 12 times as ' +
        'far as without 1-1.',
    );
    expect(page.numbers.map(({ value }) => value).slice(0, 2)).toEqual(['1-0', '1']);
    expect(page.warnings).toEqual([
      '0-1, 1-2 have one score; the smallest (layer, head) goes first.',
    ]);
  });

  it('has a map, tail, layers, prompts and distribution, all in one file', () => {
    expect(page.sections.map(({ heading }) => heading)).toEqual([
      ...['Heads', 'Prompt by prompt', 'Distribution'],
    ]);
    expect(figuresOf(page)).toHaveLength(6);
    expect(runPageHtml(page)).toContain('2 different heads come first over 2 prompts.');
  });

  it('gives every figure as picture and data', async () => {
    const dir = temporaryFolder();
    const files = await writeFigures(dir, page, false);
    expect(files).toHaveLength(18);
    expect(files[0]).toMatch(/01-every-head-and-its-score\.svg$/);
  });
});

it('the page of a search says which pick stands in for an earlier one', () => {
  const run = newRun('sahara');
  const step = { ...scores, kind: 'sahara-step', unit: 'degrees' } as const;
  const [first, second] = [
    { layer: 1, head: 0 },
    { layer: 0, head: 2 },
  ];
  const { prompts: _, ...rest } = step;
  saveScores(run.path('step-1.json'), { ...rest, ties: [], group: [first] });
  const later = [
    [0.61, 0.62, 3],
    [null, 0.65, 0.6],
  ];
  saveScores(run.path('step-2.json'), { ...rest, ties: [], scores: later, group: [first, second] });
  const page = runPage(readRunContents(run.dir));
  expect(page.sentence).toContain('The group 1-0, 0-2 turns the subspace of 2 prompts by 3.00');
  expect(page.sections[0]!.text).toContain('Head 0-2 adds 2.40 degrees once 1-0 is ablated');
  expect(page.numbers[2]).toMatchObject({ value: '1', interval: 'head 0-2' });
});

describe('the page of responses', () => {
  const page = runPage(readRunContents(ablated([{ layer: 1, head: 0 }], 7).dir));

  it('has success before and after with intervals, and what random heads do', () => {
    expect(page.title).toBe('Without head 1-0');
    expect(page.sentence).toBe(
      'Attack success rises from 0.0 % to 70.0 % on 10 prompts without these heads; as many ' +
        'random heads give 0.0 % on average.',
    );
    expect(page.numbers[1]).toMatchObject({ value: 0.7, reference: 'random heads 0.0 %, 1 draws' });
    expect(page.sections.map(({ heading }) => heading)).toEqual(['Responses', 'Harmless prompts']);
    expect(page.examples).toBeUndefined();
  });

  it('shows texts only where they were kept, escaped', () => {
    const run = ablated([{ layer: 1, head: 0 }], 2);
    const hostile = '<script>alert(1)</script>';
    appendJsonLine(run.path('predictions.jsonl'), {
      ...line('ablated', 'p10', 'harmful'),
      ...{ prompt: 'Say it.', response: hostile },
    });
    const own = runPage(readRunContents(run.dir));
    expect(own.examples!.items).toHaveLength(1);
    expect(runPageHtml(own)).not.toContain(hostile);
  });
});

it('patterns have a page of their own', () => {
  const run = newRun('pattern');
  savePatterns(run.path('patterns.json'), {
    ...{ schemaVersion: 1, kind: 'patterns', grid: 'before-after', head: { layer: 1, head: 2 } },
    model: { path: '/models/tiny', fingerprint: 'f' },
    patterns: [{ name: 'intact', prompt: '1', pattern: [[1], [0.2, 0.8]] }],
  });
  const page = runPage(readRunContents(run.dir));
  expect(page.title).toBe('Where head 1-2 looks');
  expect(page.sections[0]!.figures).toHaveLength(1);
});

describe('several runs', () => {
  const scan = (factor: number) => {
    const run = newRun('ships');
    const changed = scores.scores.map((row) => row.map((score) => score! * factor));
    saveScores(run.path('scores.json'), { ...scores, scores: changed });
    return readRunContents(run.dir);
  };

  it('of scans have overlaps and correlations', () => {
    const page = comparisonPage([scan(1), scan(2), scan(3)], { command: 'sahara report a b c' });
    expect(page.sentence).toContain('5 of the best 5 heads');
    const titles = figuresOf(page).map(({ figure }) => figure.title);
    expect(titles).toContain('Agreement of rankings');
    expect(titles.filter((title) => title.startsWith('Best 5 heads'))).toHaveLength(2);
    expect(runPageHtml(page)).toContain('made in the same way');
  });

  it('of responses have a curve over the number of heads', () => {
    const runs = [
      ablated([{ layer: 1, head: 0 }], 6),
      ablated(
        [
          { layer: 1, head: 0 },
          { layer: 0, head: 0 },
        ],
        8,
      ),
    ].map(({ dir }) => readRunContents(dir));
    const page = comparisonPage(runs, { command: 'sahara report a b' });
    const curve = figuresOf(page).find(({ figure }) => figure.title.includes('number of ablated'))!;
    const rows = curve.figure.csv.trim().split('\r\n').slice(1);
    expect(rows.map((row) => row.split(',').slice(-4, -2))).toEqual([
      ...[
        ['0', '0'],
        ['1', '0.6'],
        ['2', '0.8'],
      ],
    ]);
  });

  it('that ablate one head each become a map of all heads', () => {
    const runs = [0, 1].flatMap((layer) =>
      [0, 1, 2].map((head) => readRunContents(ablated([{ layer, head }], layer + head).dir)),
    );
    const page = comparisonPage(runs, { command: 'sahara report ...' });
    expect(page.mainFigure!.figure.title).toBe('Attack success without one head');
    expect(page.mainFigure!.figure.csv).toContain('layer 1,2,0.3');
  });
});

it('utility is read from files, a bar for each ablation', () => {
  const accuracy = (share: number) => {
    const own = { share, low: share - 0.1, high: share + 0.1, n: 50 };
    return { accuracy: own, normalised: own };
  };
  const path = join(temporaryFolder(), 'utility.json');
  const file = {
    ...{ heads: [{ layer: 1, head: 0 }], ablation: { kind: 'uniform', site: 'pattern' } },
    tasks: [{ task: 'boolq', intact: accuracy(0.7), ablated: accuracy(0.68) }],
  };
  writeFileSync(path, JSON.stringify(file));
  const [figure] = utilitySection([path]).figures!;
  expect(figure!.figure.csv).toContain('uniform at pattern: 1-0,0.68');
  const text = { intact: { perplexity: 20, bitsPerByte: 1 }, ablated: null };
  const pruned = { ...file, heads: [], ablation: null, model: '/models/pruned', text };
  const other = join(temporaryFolder(), 'pruned.json');
  const tasks = [{ task: 'boolq', intact: accuracy(0.6), ablated: null }];
  writeFileSync(other, JSON.stringify({ ...pruned, tasks }));
  const both = utilitySection([path, other]);
  expect(both.figures![0]!.figure.csv).toContain('pruned,0.6');
  expect(both.table!.rows).toEqual([{ name: 'pruned', perplexity: 20, bitsPerByte: 1 }]);
  writeFileSync(other, JSON.stringify({ ...pruned, tasks: [] }));
  expect(utilitySection([other]).figures).toEqual([]);
  writeFileSync(path, '{}');
  expect(() => utilitySection([path])).toThrow(/is no file of accuracies/);
});

it('a folder that is no run, and files that are none, are data errors', () => {
  expect(() => readRunContents(temporaryFolder())).toThrow(/is no run folder/);
  const run = newRun('sahara');
  const { prompts: _, ...rest } = scores;
  saveScores(run.path('step-1.json'), rest);
  expect(() => readRunContents(run.dir)).toThrow(/without its group/);
  const other = newRun('pattern');
  writeFileSync(other.path('patterns.json'), '{"schemaVersion":1}');
  expect(() => readRunContents(other.dir)).toThrow(/no file of patterns/);
});
