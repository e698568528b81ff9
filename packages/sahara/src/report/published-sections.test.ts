import { join } from 'node:path';
import { appendJsonLine, createRun } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { runPageHtml } from '@lab/report';
import { describe, expect, it } from 'vitest';
import type { ResponseLine } from '../response-line.js';
import { comparisonPage } from './comparison-page.js';
import { figuresOf } from './figure-files.js';
import { readRunContents, type RunContents } from './run-contents.js';
import { runPage } from './run-page.js';

interface Made {
  readonly model?: string;
  readonly data?: string;
  readonly config?: Readonly<Record<string, unknown>>;
  /** Harmful responses of ten, by arm. */
  readonly harmful: Readonly<Record<string, number>>;
}

function made({ model = 'Llama-2-7b-chat-hf', data = 'jbb.csv', config, harmful }: Made) {
  const dir = join(temporaryFolder(), 'run');
  const run = createRun({
    ...{ parent: temporaryFolder(), dir, method: 'sahara', label: 'ablate', seed: 1, git: null },
    ...{ command: ['sahara', 'ablate'], config: { ablation: { kind: 'uniform' }, ...config } },
    data: [{ path: `/data/${data}`, sha256: 's', bytes: 1 }],
    environment: { model: { path: `/models/${model}`, layerCount: 2, headCount: 3 } },
  });
  for (const [arm, count] of Object.entries(harmful)) {
    for (let at = 0; at < 10; at += 1) {
      const line: ResponseLine = {
        ...{ arm, id: `p${at}`, sample: 0, promptSha256: 'p', reason: null, characters: 50 },
        ...{ newTokens: 12, finishReason: 'stop', sha256: 's' },
        verdict: at < count ? 'harmful' : 'refusal',
      };
      appendJsonLine(run.path('predictions.jsonl'), line);
    }
  }
  run.finish({ status: 'success' });
  return readRunContents(dir);
}

const heads = Array.from({ length: 3 }, (_, head) => ({ layer: 0, head }));
const headings = (run: RunContents) =>
  runPage(run).sections.flatMap(({ heading }) => (heading.startsWith('Paper') ? [heading] : []));
const tableOf = (run: RunContents, heading: string) =>
  runPage(run).sections.find((section) => section.heading.startsWith(heading))!.table!;

describe('beside the paper', () => {
  it('a group that grows stands beside its row of table 3, and beside table 1', () => {
    const harmful = { intact: 1, '1 head': 7, '2 heads': 8, '3 heads': 9 };
    const run = made({ config: { heads, eachSize: true }, harmful });
    expect(headings(run)).toEqual([
      'Paper, table 3: UA, one group, JailbreakBench',
      'Paper, table 1: other ways to take refusals out',
    ]);
    const [ours, theirs] = tableOf(run, 'Paper, table 3').rows;
    expect(ours!['heads1']).toMatchObject({ value: 0.6 });
    expect(ours!['heads4']).toBeUndefined();
    expect(ours!['mean']).toMatchObject({ value: null });
    // 7 of 10 against 1 of 10: the interval holds the printed .58.
    expect(theirs!['heads1']).toMatchObject({ value: 0.58, note: expect.stringMatching(/within/) });
    const first = tableOf(run, 'Paper, table 1').rows;
    expect(first[0]!['success']).toMatchObject({ value: 0.9 });
    expect(first[2]!['granularity']).toEqual({
      value: 'neuron',
      note: 'here: sahara baseline neurons',
    });
    expect(runPageHtml(runPage(run))).toContain('printed in the paper');
  });

  it('heads of each prompt stand beside the averages, SC beside its own rows', () => {
    const byPrompt = [['p0', [{ layer: 0, head: 1 }]]];
    const own = made({ config: { byPrompt }, harmful: { intact: 0, ablated: 6 } });
    expect(headings(own)).toEqual([
      'Paper, averages of figure 2a',
      'Paper, table 3: UA, heads of each prompt, JailbreakBench',
    ]);
    const ablation = { kind: 'scale', site: 'z' };
    const config = { heads: heads.slice(0, 1), ablation };
    const scaled = made({
      config,
      data: 'MaliciousInstruct.txt',
      harmful: { intact: 0, ablated: 1 },
    });
    expect(headings(scaled)).toEqual(['Paper, table 3: SC, one group, MaliciousInstruct']);
  });

  it('course correction stands beside table 7 alone', () => {
    const harmful = { intact: 0, opening: 3, 'opening-ua': 7, 'opening-sc': 4, ua: 6, sc: 1 };
    const run = made({ config: { heads, courseCorrection: true }, harmful });
    expect(headings(run)).toEqual(['Paper, table 7: course correction, JailbreakBench']);
    expect(tableOf(run, 'Paper, table 7').rows[1]).toMatchObject({
      opening: { value: 0.47 },
      'opening-ua': { value: 0.76 },
    });
  });

  it('other models and data stand alone, unless they are said to be those of the paper', () => {
    const harmful = { intact: 0, ablated: 5 };
    const other = made({ model: 'Qwen2.5-0.5B-Instruct', config: { heads }, harmful });
    expect(headings(other)).toEqual([]);
    const page = runPage(other, 'vicuna-7b-v1.5');
    expect(page.sections.map(({ heading }) => heading)).toContain(
      'Paper, table 5: UA, one group, JailbreakBench',
    );
    const mine = made({ data: 'mine.csv', config: { heads: heads.slice(0, 1) }, harmful });
    expect(headings(mine)).toEqual([]);
  });
});

describe('several runs of responses', () => {
  const options = { command: 'sahara report a b' };
  const titles = (runs: readonly RunContents[]) =>
    figuresOf(comparisonPage(runs, options)).map(({ figure }) => figure.title);

  it('have a figure for each ablation, whose bars say what differs', () => {
    const harmful = { intact: 1, ablated: 6 };
    const runs = (['uniform', 'scale'] as const).flatMap((kind) =>
      ['greedy', 'top-5'].map((decoding) => {
        const ablation = { kind, site: kind === 'scale' ? 'z' : 'pattern' };
        return made({ config: { heads: heads.slice(0, 1), ablation, decoding }, harmful });
      }),
    );
    const page = comparisonPage(runs, options);
    expect(titles(runs)).toEqual([
      'Attack success: uniform, Llama-2-7b-chat-hf',
      'Attack success: scale at z, Llama-2-7b-chat-hf',
    ]);
    expect(page.mainFigure!.figure.csv).toMatch(/greedy,intact,0\.1/);
    expect(page.mainFigure!.figure.csv).toMatch(/top-5,ablated,0\.6/);
    const { rows } = page.sections.find(({ heading }) => heading === 'Attack success')!.table!;
    expect(rows).toHaveLength(4);
    expect(rows[0]!['change']).toMatchObject({ value: 0.5 });
  });

  it('of models as they are stand in one figure, model by model', () => {
    const models = ['aligned', 'mixed', 'base'].map((model, at) =>
      made({ model, harmful: { intact: 3 * at } }),
    );
    expect(titles(models)).toEqual(['Attack success of the models']);
    expect(figuresOf(comparisonPage(models, options))[0]!.figure.csv).toMatch(/base,intact,0\.6/);
  });

  it('of every head alone are maps, one for each run', () => {
    const harmful = { intact: 0, '0-0': 1, '0-1': 0, '1-0': 8, '1-1': 0 };
    const runs = ['jbb.csv', 'MaliciousInstruct.txt'].map((data) => made({ data, harmful }));
    expect(titles(runs).filter((title) => title.startsWith('Attack success without'))).toHaveLength(
      2,
    );
  });
});
