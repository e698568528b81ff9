/**
 * The single questions of a dissociation, each answered from what a verb left.
 */
import { formatPercent, formatShare } from '@lab/core';
import type { Interval } from '@lab/metrics';
import type { GraftResult } from './graft-result.js';
import type { GraftPoint } from './graft-sweep.js';
import type { LensResult } from './lens-result.js';
import type { ProbeResult } from './probe-result.js';
import type { StateTokens } from './token-table.js';

/** What a question came to. `unclear`: measured, and the intervals leave it open. */
export type StageVerdict = 'absent' | 'not measured' | 'present' | 'unclear';

/** The questions, in the order in which a pass meets them. */
export type StageName = 'concept' | 'decision' | 'refusal' | 'words';

/** A number that a verdict rests on. */
export interface StageNumber extends Interval {
  readonly label: string;
  readonly value: number;
}

/** A question and its answer. */
export interface Stage {
  readonly stage: StageName;
  readonly verdict: StageVerdict;
  /** First state at which it shows; null where it does not, or where it is of no state. */
  readonly firstState: number | null;
  /** What was seen, in a sentence; where nothing was measured, what to do. */
  readonly evidence: string;
  readonly numbers: readonly StageNumber[];
}

/** Names of the two classes. */
export interface Sides {
  readonly answered: string;
  readonly refused: string;
}

/** Prompts of a class from which on intervals over them mean something. */
const LEAST_PROMPTS = 10;

const notMeasured = (stage: StageName, evidence: string): Stage => ({
  ...{ stage, verdict: 'not measured', firstState: null, evidence, numbers: [] },
});

/**
 * Whether a probe lies above what the texts alone tell, at any state; its intervals hold for all
 * states at once.
 */
export function conceptStage(probes: ProbeResult | null): Stage {
  const found = probes?.emergence[0];
  if (probes === null || found === undefined) {
    return notMeasured('concept', 'Needs "weak-probe probe" with its controls.');
  }
  const { firstState, lastingState, best, baseline } = found;
  const texts = `texts alone ${formatShare(baseline)}`;
  const numbers = [
    numberOf(`best accuracy, state ${best.state}`, best.accuracy, best),
    numberOf(`texts alone (${probes.strongestControl})`, baseline, {
      ...{ low: baseline, high: baseline },
    }),
  ];
  const most = `best ${formatShare(best.accuracy)} at state ${best.state}, ${texts}.`;
  if (firstState === null) {
    const verdict = best.high > baseline ? 'unclear' : 'absent';
    const evidence = `No state is surely above what the texts alone tell: ${most}`;
    return { stage: 'concept', verdict, firstState, evidence, numbers };
  }
  const until = lastingState === null ? ', not to the end' : '';
  const evidence = `Read from state ${firstState} on${until}; ${most}`;
  return { stage: 'concept', verdict: 'present', firstState, evidence, numbers };
}

const numberOf = (label: string, value: number, { low, high }: Interval): StageNumber => ({
  ...{ label, value, low, high },
});

/** Below this share of listed tokens at every state, the lists are not the model's words. */
const LEAST_LISTED = 0.01;

/** Both classes at a state. */
interface WordPair {
  readonly state: number;
  readonly refused: StateTokens;
  readonly answered: StateTokens;
}

/** Whether words of the two classes part at a middle state, intervals over prompts apart. */
export function wordsStage(lens: LensResult | null, sides: Sides): Stage {
  const of = (name: string) => lens?.classes.find(({ label }) => label === name)?.table;
  const [calm, harmful] = [of(sides.answered), of(sides.refused)];
  if (lens === null || calm === undefined || harmful === undefined) {
    return notMeasured('words', 'Needs "weak-probe lens" of both classes.');
  }
  const pairs = harmful.states.flatMap((refused): WordPair[] => {
    const answered = calm.states.find(({ state }) => state === refused.state);
    return answered === undefined ? [] : [{ state: refused.state, refused, answered }];
  });
  const apart = pairs.filter(isApartInWords).map(({ state }) => state);
  const isMiddle = (state: number) => lens.middleStates.includes(state);
  const shown = apart.find(isMiddle) ?? lens.middleStates[0];
  const pair = pairs.find(({ state }) => state === shown);
  const firstState = apart[0] ?? null;
  const fewest = Math.min(calm.promptCount, harmful.promptCount);
  const answer: Pick<Stage, 'evidence' | 'verdict'> = apart.some(isMiddle)
    ? {
        verdict: 'present',
        evidence:
          `Words of both classes part from state ${firstState} on, and do so in the middle, ` +
          `${rangeOf(lens.middleStates)}.`,
      }
    : withoutWords({ lens, pairs, firstState, fewest });
  const numbers = pair === undefined ? [] : wordNumbers(pair, sides);
  const { verdict, evidence } = answer;
  return { stage: 'words', verdict, firstState, evidence, numbers };
}

function isApartInWords({ refused: own, answered: other }: WordPair): boolean {
  const { negative, positive } = own.kindIntervals;
  const isNegative = negative.low > other.kindIntervals.negative.high;
  return isNegative || positive.high < other.kindIntervals.positive.low;
}

interface WordlessLens {
  readonly lens: LensResult;
  readonly pairs: readonly WordPair[];
  readonly firstState: number | null;
  readonly fewest: number;
}

function withoutWords(of: WordlessLens): Pick<Stage, 'evidence' | 'verdict'> {
  const { lens, pairs, firstState, fewest } = of;
  const listed = pairs.flatMap(({ refused, answered }) =>
    [refused, answered].map(({ kindShares }) => kindShares.negative + kindShares.positive),
  );
  if (Math.max(0, ...listed) < LEAST_LISTED) {
    return {
      verdict: 'unclear',
      evidence: 'The lists name hardly a token that the lens brings up: give others by --words.',
    };
  }
  if (fewest < LEAST_PROMPTS) {
    return { verdict: 'unclear', evidence: `${fewest} prompts of a class say too little.` };
  }
  const later = firstState === null ? 'nor elsewhere' : `only from state ${firstState} on`;
  return {
    verdict: 'absent',
    evidence:
      'Words of the classes do not part in the middle, ' +
      `${rangeOf(lens.middleStates)}, ${later}.`,
  };
}

function wordNumbers({ state, refused, answered }: WordPair, sides: Sides): StageNumber[] {
  const columns = [
    [sides.refused, refused],
    [sides.answered, answered],
  ] as const;
  return columns.flatMap(([name, { kindShares, kindIntervals }]) =>
    (['negative', 'positive'] as const).map((kind) =>
      numberOf(`${kind} words of ${name}, state ${state}`, kindShares[kind], kindIntervals[kind]),
    ),
  );
}

const rangeOf = (states: readonly number[]): string =>
  states.length > 1 ? `states ${states[0]} to ${states.at(-1)}` : `state ${states[0]}`;

/** Whether donors' states before the last one change openings, and controls at them do not. */
export function decisionStage(graft: GraftResult | null, layerCount: number): Stage {
  const none = graft?.points.find(({ source }) => source === 'none');
  if (graft === null || none === undefined) {
    return notMeasured('decision', 'Needs "weak-probe graft".');
  }
  const { donors, recipients } = graft;
  const inside = graft.points.filter(({ state }) => state !== null && state < layerCount);
  const moved = inside.filter(
    (point) => isDonor(point) && isApart(point, none) && !hasMovedControl(point, { inside, none }),
  );
  const firstState = moved.length === 0 ? null : Math.min(...moved.map(({ state }) => state!));
  const at = firstState ?? graft.bestState;
  const best =
    moved.find(({ state }) => state === firstState) ??
    inside.find((point) => isDonor(point) && point.state === at) ??
    none;
  const numbers = [
    numberOf('refused without a graft', none.refusalShare, none.refusalInterval),
    numberOf(`refused with state ${at}${sourceOf(best)}`, best.refusalShare, best.refusalInterval),
  ];
  const change =
    `${formatPercent(none.refusalShare)} of ${recipients.label} prompts open a refusal, with ` +
    `state ${at} of ${donors.label} ones${sourceOf(best)} ${formatPercent(best.refusalShare)}`;
  if (firstState !== null) {
    const evidence = `${change}; controls move it less than half as far.`;
    return { stage: 'decision', verdict: 'present', firstState, evidence, numbers };
  }
  const verdict = none.n < LEAST_PROMPTS ? 'unclear' : 'absent';
  const evidence = `${change}: no state changes that surely and beyond controls.`;
  return { stage: 'decision', verdict, firstState, evidence, numbers };
}

/** How donors were taken, where it is not their mean. */
const sourceOf = ({ source }: GraftPoint): string =>
  source === 'mean' || source === 'none' ? '' : ` (${source})`;

const isDonor = ({ source }: GraftPoint): boolean =>
  ['mean', 'nearest', 'single', 'random-donor'].includes(source);

const isApart = ({ refusalInterval: a }: GraftPoint, { refusalInterval: b }: GraftPoint): boolean =>
  a.low > b.high || a.high < b.low;

/** Whether a control at the same state does half as much as the donors, or more. */
function hasMovedControl(
  { state, refusalShare }: GraftPoint,
  { inside, none }: { readonly inside: readonly GraftPoint[]; readonly none: GraftPoint },
): boolean {
  const controls = inside.filter((point) => point.state === state && !isDonor(point));
  const half = Math.abs(refusalShare - none.refusalShare) / 2;
  return controls.some((one) => Math.abs(one.refusalShare - none.refusalShare) > half);
}

/** Whether prompts of the class are refused: in whole responses, or by openings that were named. */
export function refusalStage(graft: GraftResult | null, refused: string): Stage {
  if (graft === null || graft.recipients.label !== refused) {
    return notMeasured('refusal', 'Needs "weak-probe graft --responses" into the refused class.');
  }
  const whole = graft.responses?.find(({ source }) => source === 'none');
  if (whole === undefined && graft.openings.origin === 'measured') {
    return notMeasured(
      'refusal',
      'Needs "weak-probe graft --responses": openings were measured on these very classes and ' +
        'cannot tell.',
    );
  }
  const found = whole ?? graft.points.find(({ source }) => source === 'none')!;
  const { low, high } = found.refusalInterval;
  const what = whole === undefined ? 'openings that were named' : 'whole responses, by rules';
  return {
    stage: 'refusal',
    verdict: low > 0.5 ? 'present' : high < 0.5 ? 'absent' : 'unclear',
    firstState: null,
    evidence: `${formatPercent(found.refusalShare)} of ${refused} prompts are refused (${what}).`,
    numbers: [numberOf(`refused, ${what}`, found.refusalShare, { low, high })],
  };
}
