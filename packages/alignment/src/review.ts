/**
 * Pairs that are worth a look: those of which the model is least sure.
 */
import {
  checkOptions,
  formatCounted,
  formatShare,
  type OptionFields,
  optionFields,
} from '@lab/core';
import { writeCsv } from '@lab/core/csv';
import type { ReviewQuestion } from '@lab/report';
import { z } from 'zod';
import { type AlignedPair, alignEntities } from './align.js';
import { type CandidateTable, candidateTable } from './candidate-table.js';
import { callFields } from './call-fields.js';
import { fittedConfidence } from './conclude.js';
import type { ConfidenceModel } from './confidence.js';
import { shortName } from './entity-names.js';
import { explainPairs, type NamedEntity, type PairExplanation } from './explain.js';
import { explanationText } from './explanation-text.js';
import type { Encoding } from './learner.js';
import { withoutPairs } from './refused-pairs.js';
import type { TrainingState } from './training-state.js';

/** Headings of a review file; the last one is filled in by hand. */
export const reviewColumns = [
  'source',
  'target',
  'confidence',
  'margin',
  'second',
  'why',
  'decision',
] as const;

/** A pair to be decided. */
export interface ReviewPair {
  readonly explanation: PairExplanation;
  /** The candidate after it; null where there is no other. */
  readonly second: NamedEntity | null;
  /** Score above that of the second candidate. */
  readonly margin: number;
  readonly confidence: number | null;
  /** What speaks for it, in one line. */
  readonly why: string;
}

/** Options of {@link pairsToReview}. */
export interface ReviewOptions {
  /** Default 50. */
  readonly count?: number | undefined;
  /**
   * What decides: the confidence nearest to even odds, or the lowest margin. Default confidence,
   * where there is one.
   */
  readonly by?: 'confidence' | 'margin' | undefined;
  /** A fitted confidence; null for none, by default one fitted as in an alignment. */
  readonly confidence?: ConfidenceModel | null | undefined;
  /** Pairs that are not proposed again, interleaved. */
  readonly refused?: Int32Array | undefined;
  readonly signal?: AbortSignal | undefined;
}

const reviewSchema = z.strictObject({
  count: z.int().min(1).optional(),
  by: z.enum(['confidence', 'margin']).optional(),
  confidence: callFields.confidence,
  refused: z.custom((value) => value instanceof Int32Array, 'must be an Int32Array').optional(),
  signal: optionFields.signal,
} satisfies OptionFields<ReviewOptions>);

/**
 * The best candidates of which the model is least sure, the least sure first. Sources that are in a
 * seed or a validation pair have their counterpart and are left out.
 *
 * @param encoding - the model as it is, kept by the caller.
 */
export async function pairsToReview(
  state: TrainingState,
  encoding: Encoding,
  options: ReviewOptions = {},
): Promise<ReviewPair[]> {
  checkOptions('alignment/pairsToReview', options, reviewSchema);
  const { refused = new Int32Array(0), count = 50, signal } = options;
  const all = await candidateTable(state, { encoding, signal });
  const given = options.confidence;
  const confidence = given === undefined ? (fittedConfidence(state, all)?.model ?? null) : given;
  const table = withoutPairs(all, refused);
  const known = new Set(state.task.split.validation.filter((_, at) => at % 2 === 0));
  const pairs = alignEntities(table, confidence).filter(({ source }) => !known.has(source));
  const isByMargin = confidence === null || options.by === 'margin';
  const sureness = (pair: AlignedPair) =>
    isByMargin ? pair.margin : Math.abs(pair.confidence! - 0.5);
  pairs.sort((a, b) => sureness(a) - sureness(b) || a.source - b.source);
  const chosen = pairs.slice(0, count);
  const explanations = await explainPairs(state, encoding, { pairs: chosen, confidence, signal });
  const secondOf = createSecond(table, state);
  return chosen.map((pair, at) => ({
    explanation: explanations[at]!,
    second: secondOf(pair.source),
    margin: pair.margin,
    confidence: pair.confidence,
    why: reasonText(explanations[at]!),
  }));
}

/** Finds the second candidate of a source. */
function createSecond({ sources, targets, indices, width }: CandidateTable, state: TrainingState) {
  const rowOf = new Map(Array.from(sources, (entity, row) => [entity, row]));
  return (source: number): NamedEntity | null => {
    const position = indices[rowOf.get(source)! * width + 1]!;
    if (position < 0) return null;
    const entity = targets[position]!;
    return { entity, name: state.task.data.entityNames[entity]! };
  };
}

/** Known neighbours that are named in a line. */
const NAMED = 3;

/** The best modality and the known neighbours in common, in one line. */
export function reasonText(explanation: PairExplanation): string {
  const { modalities, lacks, neighbours, knownNeighbours } = explanation;
  const has = ({ modality }: PairExplanation['modalities'][number]) =>
    ![...lacks.source.modalities, ...lacks.target.modalities].includes(modality);
  const best = modalities.find(has) ?? modalities.find(({ cosine }) => cosine !== null);
  const parts =
    best === undefined ? [] : [`most alike by ${best.modality} (${formatShare(best.cosine!, 2)})`];
  const names = neighbours
    .filter(({ kind }) => kind !== 'similar')
    .slice(0, NAMED)
    .map(({ source }) => shortName(source.name));
  const rest = knownNeighbours > names.length ? ', ...' : '';
  const count = formatCounted(knownNeighbours, 'known neighbour');
  const shared =
    names.length === 0
      ? 'no known neighbour in common'
      : `${count} in common: ${names.join(', ')}${rest}`;
  return [...parts, shared].join('; ');
}

/** The row of a pair in a review file, without the decision. */
export function reviewCells(pair: ReviewPair): string[] {
  const { explanation, second, margin, confidence, why } = pair;
  return [
    explanation.source.name,
    explanation.target.name,
    confidence === null ? '' : confidence.toFixed(4),
    margin.toFixed(4).replace(/^-(0\.0+)$/, '$1'),
    second?.name ?? '',
    why,
  ];
}

/** Writes pairs with an empty column `decision`: for yes, no, or the name of another target. */
export async function writeReview(path: string, pairs: readonly ReviewPair[]): Promise<void> {
  await writeCsv(
    path,
    reviewColumns,
    pairs.map((pair) => [...reviewCells(pair), '']),
  );
}

/** Characters in a line of the evidence on a page. */
const EVIDENCE_WIDTH = 100;

/** A pair as a question of a review page. */
export function reviewQuestion(pair: ReviewPair): ReviewQuestion {
  const { explanation, second, margin, confidence, why } = pair;
  const { source, target, rank, backwardRank, cosine } = explanation;
  const sure =
    confidence === null ? [] : [{ label: 'confidence', value: formatShare(confidence, 2) }];
  return {
    cells: reviewCells(pair),
    source: shortName(source.name),
    target: shortName(target.name),
    names: [
      { label: 'source', value: source.name },
      { label: 'target', value: target.name },
      ...(second === null ? [] : [{ label: 'second candidate', value: second.name }]),
    ],
    why,
    measures: [
      ...sure,
      { label: 'margin', value: formatShare(margin) },
      { label: 'cosine', value: formatShare(cosine) },
      { label: 'rank', value: `${rank}, backwards ${backwardRank}` },
    ],
    evidence: evidenceText(explanation),
    others: second === null ? [] : [second.name],
  };
}

/** The explanation without the names and scores above it, and without its indent. */
function evidenceText(explanation: PairExplanation): string {
  const [, ...blocks] = explanationText(explanation, EVIDENCE_WIDTH).split('\n\n');
  return blocks.join('\n\n').replace(/^ {2}/gm, '').trim();
}
