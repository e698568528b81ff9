/**
 * What a page says about judged responses: attack success by arm, what responses are, controls.
 */
import { formatCounted, formatPercent } from '@lab/core';
import type { BigNumber, CaptionedFigure, Example, Section, Table } from '@lab/report';
import { type ArmResult, armResults, armWarnings } from '../arms.js';
import {
  judgeConfusion,
  randomControl,
  responseKinds,
  successBars,
  successByCategory,
  successByHeadCount,
  type SuccessCurve,
  successMap,
} from '../figures/success-figures.js';
import type { ResponseLine } from '../response-line.js';

/** Names of arms with random heads begin so. */
const RANDOM = 'random-';
const isRandom = ({ arm }: Pick<ArmResult, 'arm'>): boolean => arm.startsWith(RANDOM);

/** Names of arms without the first heads of a group: `1 head`, `2 heads` ... */
const COUNTED = /^(\d+) heads?$/;
/** Names of arms without one head: `2-26`. */
const SINGLE = /^(\d+)-(\d+)$/;
/** Names of arms without whole layers: `without layers 3-5`. */
const LAYERS = /^without layers? /;

/** Arms of a run, evaluated once for all parts of a page. */
export interface EvaluatedArms {
  readonly arms: readonly ArmResult[];
  readonly intact: ArmResult | undefined;
  /** The first arm without heads that were found. */
  readonly ablated: ArmResult | undefined;
  readonly random: readonly ArmResult[];
  /** Arms without 1, 2 ... heads. */
  readonly counted: readonly ArmResult[];
  /** Arms without one head each. */
  readonly single: readonly ArmResult[];
  /** Arms without a run of layers each. */
  readonly skipped: readonly ArmResult[];
}

/** Attack success of every arm. */
export function evaluateArms(lines: readonly ResponseLine[], seed: number): EvaluatedArms {
  const judged = lines.filter((line) => lines.some(isDecidedOf(line.arm)));
  const arms = judged.length === 0 ? [] : armResults(judged, { seed });
  return {
    arms,
    intact: arms.find(({ arm }) => arm === 'intact'),
    ablated: arms.find((one) => one.arm !== 'intact' && !isRandom(one) && !LAYERS.test(one.arm)),
    random: arms.filter(isRandom),
    counted: arms.filter(({ arm }) => COUNTED.test(arm)),
    single: arms.filter(({ arm }) => SINGLE.test(arm)),
    skipped: arms.filter(({ arm }) => LAYERS.test(arm)),
  };
}

const isDecidedOf = (arm: string) => (line: ResponseLine) =>
  line.arm === arm && line.verdict !== 'undecided';

/** What was changed: heads were ablated, or neurons hold what another model's hold. */
export type ChangedParts = 'heads' | 'neurons';

const WORDS: Readonly<Record<ChangedParts, { readonly change: string; readonly label: string }>> = {
  heads: { change: 'without these heads', label: 'Without the heads' },
  neurons: { change: 'with neurons of the other model', label: 'With the neurons' },
};

/** One sentence: what ablating does to attack success. */
export function successSentence(
  { intact, ablated, random, skipped }: EvaluatedArms,
  parts: ChangedParts = 'heads',
): string {
  const [most] = skipped.toSorted((a, b) => b.rate.share - a.rate.share);
  if (most !== undefined) {
    const before = intact === undefined ? '' : `, intact ${formatPercent(intact.rate.share)}`;
    return `Attack success is highest ${most.arm}: ${formatPercent(most.rate.share)}${before}.`;
  }
  const only = ablated ?? intact;
  if (only === undefined) return 'No response has a verdict yet.';
  const prompts = formatCounted(only.promptCount, 'prompt');
  if (intact === undefined || ablated === undefined) {
    return `Attack success ${formatPercent(only.rate.share)} on ${prompts} (${only.arm}).`;
  }
  const [before, after] = [intact.rate.share, ablated.rate.share];
  const verb = after > before ? 'rises' : after < before ? 'falls' : 'stays';
  const controls =
    random.length === 0
      ? ''
      : `; as many random ${parts} give ${formatPercent(meanRate(random))} on average`;
  return (
    `Attack success ${verb} from ${formatPercent(before)} to ${formatPercent(after)} ` +
    `on ${prompts} ${WORDS[parts].change}${controls}.`
  );
}

const meanRate = (arms: readonly ArmResult[]): number =>
  arms.reduce((sum, { rate }) => sum + rate.share, 0) / arms.length;

/** The numbers that matter of an ablation. */
export function successNumbers(
  { intact, ablated, random }: EvaluatedArms,
  parts: ChangedParts = 'heads',
): BigNumber[] {
  const numberOf = (label: string, arm: ArmResult, reference?: string): BigNumber => ({
    ...{ label, value: arm.rate.share, interval: arm.rate },
    ...(reference === undefined ? {} : { reference }),
  });
  const control =
    random.length === 0
      ? undefined
      : `random ${parts} ${formatPercent(meanRate(random))}, ${random.length} draws`;
  return [
    ...(intact === undefined ? [] : [numberOf('Attack success, intact', intact)]),
    ...(ablated === undefined ? [] : [numberOf(WORDS[parts].label, ablated, control)]),
    ...(ablated === undefined
      ? []
      : [
          {
            label: 'Responses that fell apart',
            value: ablated.degenerate,
            interval: WORDS[parts].label.toLowerCase(),
            ...(intact === undefined
              ? {}
              : { reference: `intact ${formatPercent(intact.degenerate)}` }),
          },
        ]),
  ];
}

/**
 * The main figure: a map where every head was ablated alone, a curve over sizes of the group, else
 * bars of every arm that is not random.
 */
export function successFigure(evaluated: EvaluatedArms, data: string): CaptionedFigure {
  const { arms, single, intact } = evaluated;
  if (single.length > 1 && intact !== undefined) return singleMap(single, intact);
  const curve = successCurve(evaluated, data);
  if (curve.points.length > 2) return successByHeadCount([curve]);
  const shares = arms
    .filter((one) => !isRandom(one))
    .map(({ arm, rate }) => ({ name: arm, ...rate }));
  return successBars([{ name: data, shares }], { title: 'Attack success, before and after' });
}

/** Success against the number of ablated heads of one run. */
export function successCurve({ counted, intact }: EvaluatedArms, name: string): SuccessCurve {
  const points = counted.map(({ arm, rate }) => ({
    ...{ headCount: Number(COUNTED.exec(arm)![1]), ...rate },
  }));
  const zero = intact === undefined ? [] : [{ headCount: 0, ...intact.rate }];
  return { name, points: [...zero, ...points] };
}

/** Change of attack success without each head alone (figure 4b). */
export function singleMap(
  single: readonly ArmResult[],
  intact: ArmResult,
  title?: string,
): CaptionedFigure {
  const heads = single.map(({ arm, rate }) => {
    const [, layer, head] = SINGLE.exec(arm)!;
    return { layer: Number(layer), head: Number(head), change: rate.share - intact.rate.share };
  });
  const most = (key: 'head' | 'layer') => Math.max(...heads.map((one) => one[key])) + 1;
  const changes = Array.from({ length: most('layer') }, () =>
    Array.from({ length: most('head') }, () => Number.NaN),
  );
  for (const { layer, head, change } of heads) changes[layer]![head] = change;
  return successMap(changes, title === undefined ? {} : { title });
}

/** Arms whose responses are drawn by kind; the table has all. */
const SHOWN_ARMS = 8;

/**
 * Sections of judged responses.
 *
 * @param headCount - of the heads that random ones stand beside; null where none are ablated.
 */
export function responseSections(evaluated: EvaluatedArms, headCount: number | null): Section[] {
  const { arms, intact, ablated, random } = evaluated;
  const shown = arms.filter((one) => !isRandom(one)).slice(0, SHOWN_ARMS);
  const kinds = responseKinds(
    shown.map(({ arm, rate, refusal, degenerate }) => ({
      ...{ name: arm, refused: refusal, degenerate, harmful: rate.share },
    })),
  );
  const control =
    headCount === null || random.length === 0 || intact === undefined || ablated === undefined
      ? []
      : [
          randomControl({
            ...{ named: ablated.rate.share, intact: intact.rate.share, headCount },
            random: random.map(({ rate }) => rate.share),
          }),
        ];
  const categories =
    ablated === undefined || ablated.byCategory.length < 2
      ? []
      : [
          successByCategory(
            ablated.byCategory.map(({ category, ...share }) => ({ name: category, ...share })),
          ),
        ];
  return [
    { heading: 'Responses', figures: [kinds, ...control, ...categories], table: armTable(arms) },
    ...judgeSection(shown),
  ];
}

const spreadNote = (deviation: number): string => `± ${deviation.toFixed(3)} over samples`;

function armTable(arms: readonly ArmResult[]): Table {
  return {
    caption: 'Attack success by arm; small print: 95 % interval',
    columns: [
      { key: 'arm', label: 'Arm' },
      { key: 'rate', label: 'Attack success', kind: 'share' },
      { key: 'refusal', label: 'Refused', kind: 'share' },
      { key: 'degenerate', label: 'Fell apart', kind: 'share' },
      { key: 'judged', label: 'Judged', kind: 'count' },
      { key: 'undecided', label: 'Undecided', kind: 'count' },
    ],
    rows: arms.map(({ arm, rate, refusal, degenerate, judged, undecided, overSamples }) => ({
      ...{ arm, refusal, degenerate, judged, undecided },
      rate: {
        ...{ value: rate.share, low: rate.low, high: rate.high },
        note: overSamples === null ? undefined : spreadNote(overSamples.deviation),
      },
    })),
    ...(arms.length > 25 ? { pageRows: 25 } : {}),
  };
}

function judgeSection(arms: readonly ArmResult[]): Section[] {
  const figures = arms.flatMap(({ arm, agreement }) =>
    agreement === null
      ? []
      : [judgeConfusion({ first: `first judge, ${arm}`, second: 'second', agreement })],
  );
  if (figures.length === 0) return [];
  return [
    {
      heading: 'Two judges',
      text:
        'Rules on phrases are weak judges. Where two judges part, attack success is a matter of ' +
        'the judge: give both numbers.',
      figures,
    },
  ];
}

const SHOWN_EXAMPLES = 10;
const TITLE_LENGTH = 110;

/** Stored responses, complied and refused; none where texts were not kept. */
export function responseExamples(lines: readonly ResponseLine[], arm: string): Example[] {
  const stored = lines.filter((line) => line.arm === arm && line.response !== undefined);
  const some = (isShown: (line: ResponseLine) => boolean) =>
    stored.filter(isShown).slice(0, SHOWN_EXAMPLES);
  return [
    ...some(({ verdict }) => verdict === 'harmful'),
    ...some(({ verdict }) => verdict !== 'harmful'),
  ].map((line) => {
    const prompt = (line.prompt ?? line.id).replace(/\s+/g, ' ');
    return {
      verdict: line.verdict === 'harmful' ? 'wrong' : 'right',
      title: prompt.length > TITLE_LENGTH ? `${prompt.slice(0, TITLE_LENGTH)}…` : prompt,
      facts: [
        { label: 'verdict', value: line.verdict },
        ...(line.reason === null ? [] : [{ label: 'because of', value: line.reason }]),
        { label: 'tokens', value: String(line.newTokens) },
      ],
      text: line.response ?? '',
    };
  });
}

/** What a reader must know before trusting the numbers. */
export const responseWarnings = ({ arms }: EvaluatedArms): string[] => armWarnings(arms);
