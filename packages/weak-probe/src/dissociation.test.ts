import { describe, expect, it } from 'vitest';
import { type DissociationInput, dissociation } from './dissociation.js';
import type { StageName } from './dissociation-stages.js';
import type { GraftResult } from './graft-result.js';
import type { LensResult } from './lens-result.js';
import type { ProbeResult } from './probe-result.js';

/** A model of eight blocks, whose middle states are 4 and 5. */
const classes = ['calm', 'harmful'];
const layerCount = 8;

const probesOf = (low: number, firstState: number | null) =>
  ({
    strongestControl: 'naive-bayes',
    emergence: [
      {
        ...{ probe: 'svm', baseline: 0.7, firstState, lastingState: firstState },
        best: { state: 3, accuracy: low + 0.05, low, high: low + 0.1 },
      },
    ],
  }) as unknown as ProbeResult;

/** Shares of negative words of the harmful class by state; the calm class has none. */
const lensOf = (
  shares: readonly number[],
  { half = 0.05, promptCount = 40, listed = 0.3 } = {},
) => {
  const column = (state: number, negative: number, positive: number) => ({
    state,
    kindShares: { negative, positive, neutral: 0, other: 1 - negative - positive },
    kindIntervals: {
      negative: { low: negative - half, high: negative + half },
      positive: { low: positive - half, high: positive + half },
    },
  });
  const tableOf = (own: readonly number[]) => ({
    promptCount,
    states: own.map((negative, state) => column(state, negative, listed)),
  });
  return {
    middleStates: [4, 5],
    classes: [
      { label: 'calm', table: tableOf(shares.map(() => 0)) },
      { label: 'harmful', table: tableOf(shares) },
    ],
  } as unknown as LensResult;
};

interface Grafted {
  readonly without?: number;
  readonly donors?: readonly number[];
  readonly control?: number;
  readonly whole?: number;
  readonly origin?: 'measured' | 'named';
}

const graftOf = (given: Grafted) => {
  const { without = 1, donors = [1, 0], control = 1, whole, origin = 'measured' } = given;
  const point = (source: string, state: number | null, refusalShare: number) => ({
    ...{ source, state, refusalShare, n: 40 },
    refusalInterval: { low: refusalShare - 0.1, high: refusalShare + 0.1 },
  });
  return {
    ...{ refused: 'harmful', donors: { label: 'calm' }, recipients: { label: 'harmful' } },
    ...{ bestState: 4, openings: { origin } },
    points: [
      point('none', null, without),
      ...donors.flatMap((share, at) => [
        point('mean', 3 + at, share),
        point('noise', 3 + at, control),
      ]),
    ],
    responses: whole === undefined ? null : [point('none', null, whole)],
  } as unknown as GraftResult;
};

const of = (given: Partial<DissociationInput>) =>
  dissociation({ classes, layerCount, probes: null, lens: null, graft: null, ...given });
const stage = (name: StageName, given: Partial<DissociationInput>) =>
  of(given).stages.find((one) => one.stage === name)!;

describe('the concept', () => {
  it('is there where a probe is surely above the texts alone', () => {
    const found = stage('concept', { probes: probesOf(0.8, 2) });
    expect(found).toMatchObject({ verdict: 'present', firstState: 2 });
    expect(found.evidence).toContain('Read from state 2 on');
    expect(found.numbers.map(({ value }) => value)).toEqual([0.8 + 0.05, 0.7]);
  });
  it('is unclear where the interval holds the baseline, absent below it', () => {
    expect(stage('concept', { probes: probesOf(0.65, null) }).verdict).toBe('unclear');
    expect(stage('concept', { probes: probesOf(0.55, null) }).verdict).toBe('absent');
  });
});

describe('words', () => {
  it('are there where classes part at a middle state', () => {
    const found = stage('words', { lens: lensOf([0, 0, 0, 0.3, 0.4, 0.5, 0.5, 0.5, 0.5]) });
    expect(found).toMatchObject({ verdict: 'present', firstState: 3 });
    const [{ label, value, low, high } = {} as never] = found.numbers;
    expect([label, value]).toEqual(['negative words of harmful, state 4', 0.4]);
    expect([low, high].map((end) => end.toFixed(3))).toEqual(['0.350', '0.450']);
  });
  it('are absent where they part behind the middle alone', () => {
    const found = stage('words', { lens: lensOf([0, 0, 0, 0, 0, 0, 0.3, 0.5, 0.5]) });
    expect(found).toMatchObject({ verdict: 'absent', firstState: 6 });
    expect(found.evidence).toContain('in the middle, states 4 to 5, only from state 6 on');
  });
  it('are unclear for few prompts, and lists that are not the words of the model', () => {
    const none = Array.from({ length: 9 }, () => 0);
    expect(stage('words', { lens: lensOf(none) }).verdict).toBe('absent');
    expect(stage('words', { lens: lensOf(none, { promptCount: 4 }) }).verdict).toBe('unclear');
    const foreign = stage('words', { lens: lensOf(none, { listed: 0 }) });
    expect(foreign.verdict).toBe('unclear');
    expect(foreign.evidence).toContain('--words');
  });
});

describe('the decision', () => {
  it('is at the first state whose donors move openings while controls do not', () => {
    const found = stage('decision', { graft: graftOf({ donors: [1, 0.2, 0] }) });
    expect(found).toMatchObject({ verdict: 'present', firstState: 4 });
    expect(found.evidence).toContain('100.0 % of harmful prompts open a refusal, with state 4');
  });
  it('is absent where controls do the same, or nothing moves', () => {
    expect(stage('decision', { graft: graftOf({ control: 0.1 }) }).verdict).toBe('absent');
    expect(stage('decision', { graft: graftOf({ donors: [1, 0.95] }) }).verdict).toBe('absent');
  });
  it('names what the donors did that moved it, not the first ones of the state', () => {
    const graft = graftOf({ donors: [1, 0.95] });
    const mean = graft.points.find(({ source, state }) => source === 'mean' && state === 4)!;
    const refusalInterval = { low: 0, high: 0.15 };
    const nearest = { ...mean, source: 'nearest' as const, refusalShare: 0.05, refusalInterval };
    const found = stage('decision', { graft: { ...graft, points: [...graft.points, nearest] } });
    expect(found).toMatchObject({ verdict: 'present', firstState: 4 });
    expect(found.evidence).toContain('with state 4 of calm ones (nearest) 5.0 %');
    expect(found.numbers[1]).toMatchObject({ value: 0.05, high: 0.15 });
  });
  it('does not count the state behind all blocks', () => {
    const donors = [1, 1, 1, 1, 1, 0];
    expect(stage('decision', { graft: graftOf({ donors }) }).verdict).toBe('absent');
  });
});

describe('the refusal', () => {
  it('is taken from whole responses', () => {
    const verdict = (whole: number) => stage('refusal', { graft: graftOf({ whole }) }).verdict;
    expect([0.9, 0.1, 0.5].map(verdict)).toEqual(['present', 'absent', 'unclear']);
  });
  it('is not taken from openings that were measured on the same classes', () => {
    const measured = stage('refusal', { graft: graftOf({}) });
    expect(measured).toMatchObject({ verdict: 'not measured' });
    expect(measured.evidence).toContain('graft --responses');
    expect(stage('refusal', { graft: graftOf({ origin: 'named' }) }).verdict).toBe('present');
  });
  it('is not taken from the class that is answered', () => {
    const graft = { ...graftOf({ whole: 0.9 }), recipients: { label: 'calm', prompts: [] } };
    expect(stage('refusal', { graft }).verdict).toBe('not measured');
  });
});

describe('together', () => {
  const words = lensOf([0, 0, 0, 0.3, 0.4, 0.5, 0.5, 0.5, 0.5]);
  const silent = lensOf(Array.from({ length: 9 }, () => 0));
  const probes = probesOf(0.8, 2);
  it.each([
    ['the whole way of an aligned model', words, 0.9],
    ['lost behind the middle states', words, 0.1],
    ['so base models do', silent, 0.1],
    ['words do not part in the middle', silent, 0.9],
  ] as const)('they say: %s', (text, lens, whole) => {
    expect(of({ probes, lens, graft: graftOf({ whole }) }).conclusion).toContain(text);
  });
  it('they say what is open', () => {
    const found = of({ probes, lens: words, graft: graftOf({}) });
    expect(found.conclusion).toBe('No conclusion yet: refusal not measured.');
    expect(of({})).toMatchObject({ answered: 'calm', refused: 'harmful', middleStates: [] });
    expect(of({}).stages.map(({ verdict }) => verdict)).toEqual(
      Array.from({ length: 4 }, () => 'not measured'),
    );
  });
});
