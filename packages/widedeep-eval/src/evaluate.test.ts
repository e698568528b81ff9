import { describe, expect, test } from 'vitest';
import { evaluateJudgements, type EvaluateOptions } from './evaluate.js';
import { failedGates, parseGates } from './gate.js';
import { byUncertainty, leastCertain, outcomeEntropy, withHumanVerdicts } from './human-assist.js';
import type { JudgedSample } from './judged-sample.js';
import { krippendorffAlpha } from './jury-agreement.js';
import { sampleWithVerdict } from './readers/stored-verdicts.js';
import type { Verdict } from './verdict.js';

function judged(
  id: string,
  gold: Verdict | null,
  fields: Partial<JudgedSample> = {},
): JudgedSample {
  const head = { id, dataset: 'webgpt', family: 'qa', gold };
  return { ...sampleWithVerdict(head, '1'), ...fields };
}

describe('a run in numbers', () => {
  const samples = [
    judged('a', '1', { bothOrders: 4, conflicts: 1, firstPreferred: 3, secondPreferred: 1 }),
    judged('b', '2', {
      ...{ dataset: 'bagel', differences: { '12': 1, '21': -1 }, roles: ['Style', 'Depth'] },
      aggregates: { voteLast: '2', voteAll: '2', avgLast: { U: 3, V: 4 }, avgAll: { U: 5, V: 4 } },
    }),
    judged('c', 'tie', { dataset: 'own', verdict: 'tie', roles: ['Style'], stoppedAfter: 1 }),
    judged('d', null, {
      verdict: null,
      status: 'unparsed',
      problems: { refusal: 2 },
      costUsd: 0.5,
    }),
  ];
  const { network, agreement } = evaluateJudgements(samples, { resamples: 100 });

  test('position, roles, problems and counts', () => {
    expect(network.position).toEqual({
      ...{ conflictRate: 1 / 4, firstPreference: 3 / 4, swapConsistency: 0 },
    });
    expect(network.roles).toEqual({
      mean: 1.5,
      frequent: [
        { name: 'Style', count: 2 },
        { name: 'Depth', count: 1 },
      ],
    });
    expect(network).toMatchObject({
      ...{ samples: 4, judged: 3, byStatus: { ok: 3, unparsed: 1 }, problems: { refusal: 2 } },
      ...{ stoppedEarly: 1 / 4, costUsd: null },
    });
  });

  test('agreement overall, by data set, category and ability', () => {
    expect(agreement!.overall).toMatchObject({ n: 3, accuracy: { value: 2 / 3 } });
    expect(agreement!.byDataset.map(({ name, n }) => [name, n])).toEqual([
      ['bagel', 1],
      ['own', 1],
      ['webgpt', 1],
    ]);
    expect(agreement!.byCategory.map(({ name }) => name)).toEqual([
      'data-to-text generation',
      'retrieval QA',
    ]);
    expect(agreement!.byAbility.map(({ name }) => name)).toEqual([
      'knowledge QA',
      'semantic understanding',
      'text composition',
    ]);
    expect(agreement!.macro.accuracy).toBeCloseTo(2 / 3, 12);
  });

  test('the four aggregations, and a threshold of its own', () => {
    const accuracyOf = (name: string) =>
      agreement!.aggregations.find((one) => one.name === name)!.accuracy;
    expect(['avgAll', 'avgLast', 'voteAll'].map(accuracyOf)).toEqual([2 / 3, 1, 1]);
    const tau = { value: 2, scope: 'all' } as const;
    const ties = evaluateJudgements(samples, { resamples: 100, tau }).agreement!;
    expect(ties.overall.confusion[1]).toEqual([0, 0, 1, 0]); // 5 to 4 is a tie now
  });

  test('without people there is no agreement', () => {
    const alone = samples.map((sample) => ({ ...sample, gold: null }));
    expect(evaluateJudgements(alone).agreement).toBeNull();
  });

  test('gates name what is below, and what was not measured', () => {
    const evaluation = { network, agreement };
    const gates = parseGates(['accuracy=0.5', 'kappa=0.99', 'jury-agreement=0.1']);
    expect(
      failedGates(evaluation, gates).map(({ metric, value }) => [metric, value === null]),
    ).toEqual([
      ['kappa', false],
      ['jury-agreement', true],
    ]);
    expect(() => parseGates(['kapa=0.3'])).toThrow(/no metric "kapa"/);
    expect(() => parseGates(['kappa=high'])).toThrow(/names no value/);
  });
});

describe('what people decide', () => {
  const certain = judged('a', '1', { outcomes: { '1': 6, '2': 0, tie: 0 } });
  const split = judged('b', '2', { outcomes: { '1': 3, '2': 3, tie: 0 } });
  const none = judged('c', '2', { verdict: null });

  test('entropy is 0 where all agree, ln 3 at most', () => {
    expect(outcomeEntropy(certain.outcomes)).toBe(0);
    expect(outcomeEntropy(split.outcomes)).toBeCloseTo(Math.LN2, 12);
    expect(outcomeEntropy({ '1': 2, '2': 2, tie: 2 })).toBeCloseTo(Math.log(3), 12);
    expect(outcomeEntropy({ '1': 0, '2': 0, tie: 0 })).toBe(0);
  });

  test('the least certain come first, those without a verdict before them', () => {
    const order = byUncertainty([certain, split, none]).map(({ id }) => id);
    expect(order).toEqual(['c', 'b', 'a']);
    expect(leastCertain([certain, split, none], 0.3)).toHaveLength(1);
  });

  test('another threshold counts for what people do not decide, too', () => {
    const means = { U: 6, V: 5.8 };
    const aggregates = { voteLast: '1', voteAll: '1', avgLast: means, avgAll: means } as const;
    const near = judged('d', 'tie', { aggregates });
    const accuracy = (tau?: EvaluateOptions['tau']) =>
      evaluateJudgements([near, none], { human: 0.5, resamples: 100, tau }).agreement!.human!
        .metrics.accuracy.value;
    expect([accuracy(), accuracy({ value: 0.5, scope: 'all' })]).toEqual([0.5, 1]);
  });

  test('with people for two thirds all are right', () => {
    const verdicts = withHumanVerdicts([certain, split, none], 2 / 3);
    expect([...verdicts]).toEqual([
      ['a', '1'],
      ['b', '2'],
      ['c', '2'],
    ]);
    const { agreement } = evaluateJudgements([certain, split, none], {
      human: 2 / 3,
      resamples: 100,
    });
    expect(agreement!.human!.metrics.accuracy.value).toBe(1);
    expect(agreement!.overall.accuracy.value).toBeCloseTo(1 / 3, 12);
  });
});

describe('agreement among judges', () => {
  test('perfect, none and that of chance', () => {
    expect(
      krippendorffAlpha([
        ['1', '1'],
        ['2', '2'],
      ]),
    ).toBe(1);
    expect(
      krippendorffAlpha([
        ['1', '1'],
        ['1', '1', '1'],
      ]),
    ).toBe(1);
    expect(krippendorffAlpha([['1'], []])).toBeNull();
    expect(
      krippendorffAlpha([
        ['1', '2'],
        ['2', '1'],
      ]),
    ).toBeLessThan(0);
  });

  test("the example with binary data in Krippendorff's note: .095", () => {
    // Ten units, two observers: 0 1 0 0 0 0 0 0 1 0 and 1 1 1 0 0 1 0 0 0 0, alpha .095.
    const one = '0100000010';
    const two = '1110010000';
    const votes = [...one].map((code, at) =>
      [code, two[at]].map((value): Verdict => (value === '0' ? '1' : '2')),
    );
    expect(krippendorffAlpha(votes)).toBeCloseTo(0.095, 3);
  });
});

test('the four ways to a verdict take the tie threshold of the run', () => {
  const mean = { U: 5.4, V: 5 };
  const aggregates: JudgedSample['aggregates'] = {
    voteLast: '1',
    voteAll: '1',
    avgLast: mean,
    avgAll: mean,
  };
  const samples = [
    judged('a', 'tie', { aggregates, verdict: 'tie' }),
    judged('b', '1', { aggregates: { ...aggregates, avgAll: { U: 7, V: 5 } } }),
  ];
  const accuracyOf = (runTau?: number) => {
    const { agreement } = evaluateJudgements(samples, { resamples: 100, runTau });
    return agreement!.aggregations.find(({ name }) => name === 'avgAll')!.accuracy;
  };
  expect([accuracyOf(), accuracyOf(0.5)]).toEqual([0.5, 1]);
});
