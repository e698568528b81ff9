/**
 * What a network says of a pair: the record that is kept of each sample.
 */
import type { FinishReason } from '@lab/llm';
import type { Verdict } from './verdict.js';

/** Which answer is shown first: `12` is the order of the sample. */
export type Order = '12' | '21';

/** An angle from which answers are compared. */
export interface Role {
  readonly name: string;
  readonly description?: string;
  /** `fallback`: the model named none; `library`: from the settings. */
  readonly source: 'fallback' | 'library' | 'llm';
}

/** Why an answer gives no scores. */
export type ReviewProblem = 'content-filter' | 'length' | 'refusal' | 'unparsed';

/** One answer of a judge, in terms of the sample's first and second answer, whatever the order. */
export interface Review {
  /** The reasons; where there are no scores, all of the answer. */
  readonly text: string;
  /** Score of the sample's first answer, 1..10; null where none can be read. */
  readonly u: number | null;
  /** Score of the second. */
  readonly v: number | null;
  readonly finish: FinishReason | null;
  readonly requestHash: string | null;
  /** The scores as they stand in the answer, where `u` and `v` are means by probability. */
  readonly written?: { readonly u: number; readonly v: number };
  /** Tokens in and out. */
  readonly usage: { readonly in: number; readonly out: number };
  readonly problem?: ReviewProblem;
}

/** A judge of a layer. */
export interface Neuron {
  /** From 0. */
  readonly j: number;
  /** Names of the angles; none where judges have no roles. */
  readonly roles: readonly string[];
  /** The model that judges, where there are several. */
  readonly model?: string;
  readonly orders: { readonly [order in Order]?: Review };
}

/** Judges that do not see each other's reviews. */
export interface Layer {
  /** From 1. */
  readonly layer: number;
  readonly neurons: readonly Neuron[];
}

/** Mean scores of the two answers. */
export interface MeanScores {
  readonly U: number;
  readonly V: number;
}

/** All four ways to reach a verdict; null where too few judges gave scores. */
export interface Aggregates {
  readonly voteLast: Verdict | null;
  readonly voteAll: Verdict | null;
  readonly avgLast: MeanScores | null;
  readonly avgAll: MeanScores | null;
}

/** What a network says of a pair. */
export interface Judgement {
  readonly dataset: string;
  readonly family: string;
  readonly gold: Verdict | null;
  readonly verdict: Verdict | null;
  readonly aggregates: Aggregates;
  /** Share of judges whose verdict changes with the order; null where none judged both. */
  readonly conflictRate: number | null;
  readonly roles: readonly Role[];
  readonly layers: readonly Layer[];
  /** The layer after which the judges agreed, so that no discussion took place. */
  readonly stoppedAfter?: number;
  /** What is odd about the sample. */
  readonly flags: readonly SampleFlag[];
  /** Characters of the two answers. */
  readonly lengths: readonly [answer1: number, answer2: number];
  readonly system1?: string;
  readonly system2?: string;
}

/** What is odd about a sample. */
export type SampleFlag =
  | 'empty-answer'
  | 'identical-answers'
  | 'injection-suspect'
  | 'roles-capped'
  | 'scores-as-written'
  | 'truncated';

/** The difference of a review's scores, first minus second; null where it has none. */
export function differenceOf(review: Review | undefined): number | null {
  if (review === undefined || review.u === null || review.v === null) return null;
  return review.u - review.v;
}

/** The reviews of a judge, those that were asked for, `12` first. */
export function reviewsOf({ orders }: Neuron): readonly Review[] {
  return [orders['12'], orders['21']].filter((review) => review !== undefined);
}

/** Whether every answer of a judge has scores. */
export function isUsable(neuron: Neuron): boolean {
  return reviewsOf(neuron).every((review) => differenceOf(review) !== null);
}

/** The scores of a review as they are shown: means with two decimals. */
export function scoresText({ u, v }: Pick<Review, 'u' | 'v'>): string {
  const shown = (score: number | null) => (score === null ? 'none' : `${Number(score.toFixed(2))}`);
  return `${shown(u)} : ${shown(v)}`;
}
