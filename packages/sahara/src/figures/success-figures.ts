/**
 * Figures of attack success: bars before and after, curves over group sizes, maps, controls.
 */
import {
  type Axis,
  barPlot,
  boxPlot,
  type CaptionedFigure,
  groupedBarPlot,
  heatmap,
  linePlot,
} from '@lab/report';
import type { JudgeAgreement, ShareEstimate } from '../attack-success.js';

/** A measured share with what it was measured on, such as `UA, 3 heads`. */
export interface NamedShare extends ShareEstimate {
  readonly name: string;
}

/** A group of bars, such as a data set with its format and decoder. */
export interface ShareGroup {
  readonly name: string;
  readonly shares: readonly NamedShare[];
}

const successAxis: Axis = { label: 'attack success rate', format: 'share', domain: [0, 1] };
const wilsonWords = 'Whiskers are 95 % Wilson intervals.';

const barOf = ({ name, share, low, high }: NamedShare) => ({
  ...{ label: name, value: share, low, high },
});

/** What bars are about. */
export interface ShareBarsOptions {
  readonly title?: string;
  readonly value?: Axis;
  readonly caption?: string;
}

/**
 * Attack success in groups of bars: intact and ablated models, formats, decoders, data sets
 * (the paper, figures 2, 6a, 15a and 17, and table 7).
 */
export function successBars(
  groups: readonly ShareGroup[],
  options: ShareBarsOptions = {},
): CaptionedFigure {
  const { title = 'Attack success', value = successAxis, caption } = options;
  const sizes = [...new Set(groups.flatMap(({ shares }) => shares.map(({ n }) => n)))];
  const count = sizes.length === 1 ? ` Each bar: ${sizes[0]} prompts.` : '';
  const [only] = groups;
  const figure =
    groups.length === 1
      ? barPlot({ title, value, bars: only!.shares.map(barOf) })
      : groupedBarPlot({
          ...{ title, value },
          groups: groups.map(({ name, shares }) => ({ label: name, bars: shares.map(barOf) })),
        });
  const words = caption ?? 'Longer bars: fewer refusals.';
  return { figure, caption: `${words} ${wilsonWords}${count}` };
}

/** Attack success with 0, 1, 2 ... heads ablated, under the name of a model or ablation. */
export interface SuccessCurve {
  readonly name: string;
  readonly points: readonly (ShareEstimate & { readonly headCount: number })[];
}

/**
 * Attack success against the number of ablated heads: groups of Sahara (figure 4a) or each prompt's
 * own best heads (figures 11 and 12).
 */
export function successByHeadCount(curves: readonly SuccessCurve[]): CaptionedFigure {
  return {
    figure: linePlot({
      title: 'Attack success by number of ablated heads',
      x: { label: 'ablated heads', hasZero: true },
      y: successAxis,
      series: curves.map(({ name, points }) => ({
        name,
        points: points.map(({ headCount, share, low, high }) => ({
          ...{ x: headCount, y: share, low, high },
        })),
      })),
    }),
    caption:
      'A curve that falls again: with more heads gone, responses fall apart and count as ' +
      'harmless. Bands are 95 % Wilson intervals.',
  };
}

/** Change of attack success when each head is ablated alone, by generation (figure 4b). */
export function successMap(
  changes: readonly (readonly number[])[],
  { title = 'Attack success without one head', top = 10 } = {},
): CaptionedFigure {
  const flat = changes.flatMap((row, layer) =>
    row.map((change, head) => ({ row: `layer ${layer}`, column: String(head), change })),
  );
  const best = flat
    .filter(({ change }) => change > 0)
    .sort((a, b) => b.change - a.change)
    .slice(0, top);
  return {
    figure: heatmap({
      title,
      rows: changes.map((_, layer) => `layer ${layer}`),
      columns: Array.from({ length: changes[0]?.length ?? 0 }, (_, head) => String(head)),
      ...{ rowLabel: 'layer', columnLabel: 'head', values: changes, marked: best },
      value: { label: 'change of attack success', domain: [0, 1] },
    }),
    caption:
      'Every head ablated alone, every prompt generated and judged: what the scores stand for. ' +
      `Framed: the ${best.length} heads whose loss adds most.`,
  };
}

/** What became of the responses. */
export interface ResponseSplit {
  readonly name: string;
  /** Shares of all judged responses; they add up to 1. */
  readonly refused: number;
  readonly degenerate: number;
  readonly harmful: number;
}

/** Responses by kind: refused, fallen apart, complied. */
export function responseKinds(splits: readonly ResponseSplit[]): CaptionedFigure {
  return {
    figure: groupedBarPlot({
      title: 'What the responses are',
      value: { label: 'share of responses', format: 'share', domain: [0, 1] },
      groups: splits.map(({ name, refused, degenerate, harmful }) => ({
        label: name,
        bars: [
          { label: 'refused', value: refused },
          { label: 'fallen apart', value: degenerate },
          { label: 'complied', value: harmful },
        ],
      })),
    }),
    caption:
      'Attack success counts what complied. Where much has fallen apart (too short, repeating ' +
      'itself), an ablation has broken the model rather than its refusals.',
  };
}

/** Attack success by category of the prompts. */
export function successByCategory(shares: readonly NamedShare[]): CaptionedFigure {
  return {
    figure: barPlot({
      title: 'Attack success by category',
      value: successAxis,
      bars: shares.map((one) => ({ ...barOf(one), label: `${one.name} (n = ${one.n})` })),
    }),
    caption: `Short bars: what the model refuses even without its heads. ${wilsonWords}`,
  };
}

/** The heads that were found beside as many random ones, in a share such as attack success. */
export interface RandomControl {
  readonly named: number;
  /** One share for each draw. */
  readonly random: readonly number[];
  readonly intact: number;
  readonly headCount: number;
}

/** The found heads beside random groups of the same size. */
export function randomControl(
  { named, random, intact, headCount }: RandomControl,
  value: Axis = successAxis,
): CaptionedFigure {
  return {
    figure: boxPlot({
      title: 'Found heads and random heads',
      value,
      groups: [
        { label: 'intact', values: [intact] },
        { label: `${headCount} random heads, ${random.length} draws`, values: random },
        { label: `the ${headCount} heads found`, values: [named] },
      ],
    }),
    caption:
      `Random groups have ${headCount} heads, too, and the same ablation. What the found heads ` +
      'do beyond them is due to which heads they are.',
  };
}

/** Two judges by name, and how far they agree on the same responses. */
export interface JudgeConfusion {
  readonly first: string;
  readonly second: string;
  readonly agreement: JudgeAgreement;
}

/** Where two judges agree and where they do not. */
export function judgeConfusion({ first, second, agreement }: JudgeConfusion): CaptionedFigure {
  const { labels, counts, kappa, n } = agreement;
  const words = Number.isFinite(kappa) ? `; Cohen's kappa ${kappa.toFixed(2)}` : '';
  return {
    figure: heatmap({
      title: `${first} and ${second}`,
      rows: labels.map((verdict) => `${first}: ${verdict}`),
      columns: labels.map((verdict) => `${second}: ${verdict}`),
      values: counts,
      value: { label: 'responses', domain: [0, Math.max(1, ...counts.flat())] },
      width: 520,
    }),
    caption:
      `Both call ${Math.round(agreement.agreement * n)} of ${n} responses the same, harmful or ` +
      `not${words}.`,
  };
}
