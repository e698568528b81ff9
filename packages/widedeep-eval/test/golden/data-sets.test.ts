import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { requireCondition } from '@lab/core/testing';
import { describe, expect, test } from 'vitest';
import { dataFloors } from '../../src/floors.js';
import { readSamples } from '../../src/readers/read-samples.js';
import { repeatsOf } from '../../src/repeats.js';
import { storedSamples } from '../../src/readers/stored-verdicts.js';
import { readPandalmVerdicts } from '../../src/readers/pandalm.js';
import { evaluateJudgements } from '../../src/evaluate.js';
import type { Sample } from '../../src/sample.js';

const root = process.env['LAB_DATA'];
const at = (path: string): string => join(root ?? '', path);
const isThere = requireCondition('data', root !== undefined && existsSync(at('llmeval2')));
const counts = (samples: readonly Sample[]) =>
  (['1', '2', 'tie'] as const).map(
    (verdict) => samples.filter(({ gold }) => gold === verdict).length,
  );

describe.skipIf(!isThere)('full data sets (needs data)', () => {
  test('LLMEval^2: composition, floors and quirks', async () => {
    const samples = await readSamples({ data: at('llmeval2/LLMEval2_benchmark.jsonl.gz') });
    expect([samples.length, ...counts(samples)]).toEqual([2553, 1050, 1021, 482]);
    const of = (dataset: string) => samples.filter((sample) => sample.dataset === dataset);
    expect(counts(of('openmeva'))).toEqual([67, 51, 127]);
    expect(counts(of('mt-bench'))).toEqual([71, 72, 132]);
    expect(counts(of('code-contests'))).toEqual([21, 24, 0]);
    expect(new Set(samples.map(({ dataset }) => dataset)).size).toBe(15);
    const floors = dataFloors(samples).map(({ name, accuracy, kappa }) => [
      ...[name, accuracy.toFixed(4), kappa.toFixed(3)],
    ]);
    expect(floors).toEqual([
      ['always answer 1', '0.4113', '0.000'],
      ['always answer 2', '0.3999', '0.000'],
      ['always a tie', '0.1888', '0.000'],
      ['longer in characters', '0.4508', '0.078'],
      ['longer in words', '0.4191', '0.046'],
    ]);
    expect(of('mt-bench').every(({ question }) => question === '')).toBe(true);
    const same = samples.filter(({ answer1, answer2 }) => answer1.trim() === answer2.trim());
    expect(same).toHaveLength(4);
    const empty = samples.filter(({ answer1, answer2 }) => !answer1.trim() || !answer2.trim());
    expect(empty).toHaveLength(13);
    expect(new Set(samples.map(({ question }) => question)).size).toBe(2205);
    expect(repeatsOf(samples)).toMatchObject({ swapped: 44 });
  });

  test('FairEval: 80 questions and verdicts in their order', async () => {
    const samples = await readSamples({ data: at('faireval') });
    expect([samples.length, ...counts(samples)]).toEqual([80, 41, 25, 14]);
    const all = await readSamples({
      data: at('faireval'),
      systems: ['alpaca-13b', 'gpt-4', 'gpt35', 'vicuna-13b'],
    });
    expect(all).toHaveLength(6 * 80);
  });

  test('PandaLM: majority of annotators, and the stored verdicts of two judges', async () => {
    const samples = await readSamples({ data: at('pandalm/testset-v1.json.gz') });
    expect([samples.length, ...counts(samples)]).toEqual([999, 422, 472, 105]);
    const path = at('pandalm/pandalm-7b-testset-v1.json.gz');
    const found = storedSamples(samples, await readPandalmVerdicts(path), path);
    const { overall } = evaluateJudgements(found, { resamples: 100 }).agreement!;
    expect([overall.accuracy.value.toFixed(4), overall.kappa.value.toFixed(4)]).toEqual([
      '0.6677',
      '0.4354',
    ]);
  });

  test('LLMBar: eight files, no ties', async () => {
    const samples = await readSamples({ data: at('llmbar') });
    expect(counts(samples)[2]).toBe(0);
    expect(new Set(samples.map(({ dataset }) => dataset)).size).toBe(8);
    const own = samples.filter(({ dataset }) => dataset.startsWith('LLMBar_'));
    expect(own).toHaveLength(419);
  });
});
