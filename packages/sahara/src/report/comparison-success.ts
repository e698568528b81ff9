/**
 * What the page of several runs says about attack success.
 */
import type { CaptionedFigure, Section, Table } from '@lab/report';
import type { ArmResult } from '../arms.js';
import {
  successBars,
  successByHeadCount,
  type SuccessCurve,
  successMap,
} from '../figures/success-figures.js';
import type { RunContents } from './run-contents.js';
import { type ResponseFacts, responseFacts } from './run-facts.js';
import { type EvaluatedArms, evaluateArms, singleMap, successCurve } from './response-sections.js';
import { successChange } from './success-change.js';

/** From so many runs with one head each on a map of all heads is drawn. */
const FEWEST_SINGLE = 6;

/** A run of responses, evaluated once for all parts of the page. */
export interface AblatedRun {
  readonly name: string;
  readonly contents: RunContents;
  readonly evaluated: EvaluatedArms;
  readonly facts: ResponseFacts;
}

/** The run of responses that a folder holds; null for one without. */
export function ablatedRun(name: string, contents: RunContents): AblatedRun | null {
  const { record, responses } = contents;
  if (responses.length === 0) return null;
  const evaluated = evaluateArms(responses, record.seed);
  return { name, contents, evaluated, facts: responseFacts(contents) };
}

/** How a run is drawn: whole groups as bars, growing ones as a curve, single heads as a map. */
type Drawing = 'arms' | 'bars' | 'curve' | 'map';

function drawingOf({ evaluated }: AblatedRun): Drawing {
  const { arms, counted, single, ablated } = evaluated;
  if (single.length > 1) return 'map';
  if (counted.length > 1) return 'curve';
  const isPlain = ablated === undefined || ablated.arm === 'ablated';
  return isPlain && arms.every(({ arm }) => !arm.startsWith('without ')) ? 'bars' : 'arms';
}

/** Sections of runs of responses. */
export function successSections(runs: readonly AblatedRun[]): Section[] {
  const of = (drawing: Drawing) => runs.filter((run) => drawingOf(run) === drawing);
  const map = mapOfRuns(runs);
  const curves = curvesOf(of('curve'), of('bars'));
  return [
    {
      heading: 'Attack success',
      figures: [
        ...(map === null ? barFigures(of('bars')) : [map]),
        ...(curves.length === 0 ? [] : [successByHeadCount(curves)]),
        ...of('map').map(({ name, evaluated }) => namedMap(name, evaluated)),
        ...of('arms').map(armBars),
      ],
      table: successTable(runs),
    },
  ];
}

/** Every arm of a run whose arms are not one ablation: course correction, layers left out. */
function armBars({ name, evaluated: { arms } }: AblatedRun): CaptionedFigure {
  const shares = arms
    .filter(({ arm }) => !arm.startsWith('random-'))
    .map(({ arm, rate }) => ({ name: arm, ...rate }));
  return successBars([{ name, shares }], { title: `Attack success: ${name}` });
}

function namedMap(name: string, { single, intact }: EvaluatedArms): CaptionedFigure {
  return singleMap(single, intact!, `Attack success without one head: ${name}`);
}

/** Facts that tell groups of bars apart, where runs differ in them. */
const TELLING = ['data', 'format', 'decoding', 'level', 'headCount', 'judge'] as const;

/**
 * Bars before and after, a figure for each ablation and model (figures 2a and 2b), and one for
 * models as they are (figures 6a, 15a).
 */
function barFigures(runs: readonly AblatedRun[]): CaptionedFigure[] {
  const figures = new Map<string, AblatedRun[]>();
  for (const run of runs) {
    const { ablation, model } = run.facts;
    const key = run.evaluated.ablated === undefined ? 'intact' : `${ablation}, ${model}`;
    figures.set(key, [...(figures.get(key) ?? []), run]);
  }
  return [...figures].map(([key, own]) => {
    const isIntact = key === 'intact';
    const telling = isIntact ? (['model', ...TELLING] as const) : TELLING;
    const differing = telling.filter(
      (name) => new Set(own.map(({ facts }) => facts[name])).size > 1,
    );
    const labelOf = ({ name, facts }: AblatedRun) =>
      differing.map((fact) => factText(fact, facts)).join(', ') || name;
    const labels = own.map(labelOf);
    const areTold = new Set(labels).size === labels.length;
    const groups = own.map((run, at) => ({
      name: areTold ? labels[at]! : run.name,
      shares: [run.evaluated.intact, run.evaluated.ablated].flatMap((arm) =>
        arm === undefined
          ? []
          : [{ name: arm.arm === 'intact' ? 'intact' : 'ablated', ...arm.rate }],
      ),
    }));
    const title = isIntact ? 'Attack success of the models' : `Attack success: ${key}`;
    const whole = own.length === 1 ? `${title}, ${own[0]!.name}` : title;
    return successBars(groups, figures.size > 1 || isIntact ? { title: whole } : {});
  });
}

function factText(name: 'model' | (typeof TELLING)[number], facts: ResponseFacts): string {
  if (name === 'headCount') return facts.headCount === 1 ? '1 head' : `${facts.headCount} heads`;
  if (name === 'level') return facts.level === 'query' ? 'own heads' : 'one group';
  return facts[name];
}

/** Curves of runs that grow, and of whole groups that differ in the number of heads alone. */
function curvesOf(growing: readonly AblatedRun[], whole: readonly AblatedRun[]): SuccessCurve[] {
  const curves = new Map<string, AblatedRun[]>();
  for (const run of whole) {
    const { model, ablation, level, format, data, decoding } = run.facts;
    const own = level === 'query' ? ', heads of each prompt' : '';
    const name = `${model}, ${ablation}${own}, ${data}, ${format}, ${decoding}`;
    curves.set(name, [...(curves.get(name) ?? []), run]);
  }
  const between = [...curves].flatMap(([name, own]): SuccessCurve[] => {
    const counts = new Set(own.map(({ facts }) => facts.headCount));
    if (counts.size < 2) return [];
    const intact = own.find(({ evaluated }) => evaluated.intact !== undefined)?.evaluated.intact;
    const points = own.flatMap(({ facts: { headCount }, evaluated: { ablated } }) =>
      ablated === undefined ? [] : [{ headCount, ...ablated.rate }],
    );
    const zero = intact === undefined ? [] : [{ headCount: 0, ...intact.rate }];
    return [{ name, points: [...zero, ...points].sort((a, b) => a.headCount - b.headCount) }];
  });
  return [...growing.map(({ name, evaluated }) => successCurve(evaluated, name)), ...between];
}

/** A map of runs that each ablate one head; null for few of them. */
function mapOfRuns(runs: readonly AblatedRun[]): CaptionedFigure | null {
  const single = runs.filter(({ facts }) => facts.heads.length === 1);
  if (single.length < FEWEST_SINGLE || single.length !== runs.length) return null;
  const { layerCount, headCount } = (single[0]!.contents.record.environment['model'] ?? {}) as {
    readonly layerCount?: number;
    readonly headCount?: number;
  };
  if (layerCount === undefined || headCount === undefined) return null;
  const changes = Array.from({ length: layerCount }, () =>
    Array.from({ length: headCount }, () => Number.NaN),
  );
  for (const { facts, evaluated } of single) {
    const { layer, head } = facts.heads[0]!;
    const [before, after] = [evaluated.intact?.rate.share, evaluated.ablated?.rate.share];
    if (before !== undefined && after !== undefined) changes[layer]![head] = after - before;
  }
  return successMap(changes);
}

/** Arms that a table lists; of more the one with most success stands for all. */
const MOST_ARMS = 12;

function tableArms({ arms }: EvaluatedArms): readonly ArmResult[] {
  const own = arms.filter(({ arm }) => arm !== 'intact' && !arm.startsWith('random-'));
  if (own.length <= MOST_ARMS) return own;
  return own.toSorted((a, b) => b.rate.share - a.rate.share).slice(0, 1);
}

/** An arm in words; of heads with what was done to them. */
function armText({ ablation }: ResponseFacts, arm: string): string {
  if (arm === 'ablated') return ablation;
  return /^\d+(-\d+| heads?)$/.test(arm) ? `${ablation}, ${arm}` : arm;
}

/** What each run was, and what ablating changed on the same prompts (tables 3 and 5). */
function successTable(runs: readonly AblatedRun[]): Table {
  const rows = runs.flatMap((run) => {
    const { name, evaluated, facts, contents } = run;
    const { intact } = evaluated;
    const base = { name, model: facts.model, data: facts.data, format: facts.format };
    const before =
      intact === undefined
        ? null
        : { value: intact.rate.share, low: intact.rate.low, high: intact.rate.high };
    const arms = tableArms(evaluated);
    if (arms.length === 0) return [{ ...base, arm: 'as it is', before }];
    return arms.map((arm) => {
      const change = successChange(contents.responses, ['intact', arm.arm], contents.record.seed);
      const { share, low, high } = arm.rate;
      return {
        ...base,
        arm: armText(facts, arm.arm),
        ...{ before, after: { value: share, low, high } },
        change:
          change === null ? null : { value: change.estimate, low: change.low, high: change.high },
      };
    });
  });
  return {
    caption: 'Attack success; small print: 95 % interval, of changes over resampled prompts',
    columns: [
      { key: 'name', label: 'Run' },
      { key: 'model', label: 'Model' },
      { key: 'data', label: 'Prompts' },
      { key: 'format', label: 'Format' },
      { key: 'arm', label: 'Ablated' },
      { key: 'before', label: 'Intact', kind: 'share' },
      { key: 'after', label: 'Without', kind: 'share' },
      { key: 'change', label: 'Change', kind: 'number', decimals: 3 },
    ],
    rows,
    ...(rows.length > 25 ? { pageRows: 25 } : {}),
  };
}
