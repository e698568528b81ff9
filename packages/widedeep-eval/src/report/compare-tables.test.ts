import { expect, test } from 'vitest';
import { evaluateJudgements } from '../evaluate.js';
import { sampleWithVerdict } from '../readers/stored-verdicts.js';
import type { Verdict } from '../verdict.js';
import type { ShownNetwork } from './compare-figures.js';
import { classTable, groupSections } from './compare-tables.js';

const gold: readonly (Verdict | null)[] = ['1', '2', 'tie', '1', '2', 'tie'];

function network(name: string, verdicts: readonly Verdict[], labels = gold): ShownNetwork {
  const samples = verdicts.map((verdict, at) => {
    const dataset = at % 2 === 0 ? 'webgpt' : 'bagel';
    const head = { id: `p${at}`, dataset, family: 'qa', gold: labels[at]! };
    return sampleWithVerdict(head, verdict);
  });
  const evaluation = evaluateJudgements(samples, { resamples: 100 });
  // Only these are looked at here.
  return { name, evaluation } as ShownNetwork;
}

const right = network('right', ['1', '2', 'tie', '1', '2', 'tie']);
const first = network('first', ['1', '1', '1', '1', '1', '1']);

test('precision, recall, F1 and the share of each verdict that is found', () => {
  const rows = classTable([right, first])!.rows;
  expect(rows[0]).toMatchObject({ name: 'right', precision: 1, recall: 1, f1: 1, '1': 1, tie: 1 });
  expect(rows[1]).toMatchObject({ recall: 1 / 3, '1': 1, '2': 0, tie: 0 });
  // Of six answers 1 two are right; the other classes are never given.
  expect(rows[1]!['precision']).toBeCloseTo((1 / 3 + 0 + 0) / 3, 12);
  const none = network('none', ['1'], [null]);
  expect([classTable([none]), groupSections([none])]).toEqual([undefined, []]);
});

test('accuracy and kappa of each run by category, ability and data set', () => {
  const sections = groupSections([right, first]);
  expect(sections.map(({ heading }) => heading)).toEqual(['Categories', 'Abilities', 'Data sets']);
  const [categories, abilities, sets] = sections.map(({ table }) => table!.rows);
  expect(categories!.map(({ name, n }) => [name, n])).toEqual([
    ['data-to-text generation', 3],
    ['retrieval QA', 3],
  ]);
  expect(abilities!.map(({ name }) => name)).toContain('knowledge QA');
  expect(sets![0]).toMatchObject({
    ...{ name: 'bagel', 'right accuracy': 1, 'right kappa': 1 },
    ...{ 'first accuracy': 1 / 3, 'first kappa': 0 },
  });
  expect(sections[0]!.figures).toHaveLength(1);
});
