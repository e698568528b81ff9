/**
 * Why a pair: what the model and the data say for and against two entities being the same.
 */
import { checkOptions, type OptionFields, optionFields } from '@lab/core';
import { type AlignmentData, tripleDegrees } from '@lab/graph';
import { z } from 'zod';
import { callFields } from './call-fields.js';
import { type ConfidenceModel, confidenceOf } from './confidence.js';
import type { Modality } from './config-fields.js';
import type { Encoding } from './learner.js';
import { comparable, type ModalityCosine, modalityCosines } from './modality-cosines.js';
import { createNeighbourIndex, type RelationLink } from './neighbour-index.js';
import { fieldConfidence } from './field-confidence.js';
import { createScoreField, type PairScores, type ScoreField } from './score-field.js';
import {
  type KnownPairs,
  knownPairs,
  type NeighbourKind,
  type SharedNeighbours,
  sharedNeighbours,
} from './shared-neighbours.js';
import type { TrainingState } from './training-state.js';

/** Neighbours that are listed. */
const LISTED = 5;

/** One entity of an explanation. */
export interface NamedEntity {
  /** Dense index. */
  readonly entity: number;
  readonly name: string;
}

/** Neighbours of both that belong together, and the relations that lead to them. */
export interface ExplainedNeighbours {
  readonly source: NamedEntity;
  readonly target: NamedEntity;
  /** Pair of the seeds, accepted by the training, or alike by the fused vectors. */
  readonly kind: NeighbourKind;
  readonly cosine: number;
  readonly sourceLinks: readonly RelationLink[];
  readonly targetLinks: readonly RelationLink[];
}

/** What one of the two lacks. */
export interface Lacking {
  /** Kinds of evidence that the data do not have of it; what stands for them tells nothing. */
  readonly modalities: readonly Modality[];
  /** Neighbours of the other one whose known counterpart it is not linked to, rarest first. */
  readonly neighbours: readonly NamedEntity[];
}

/** What speaks for and against a pair. */
export interface PairExplanation extends PairScores {
  readonly source: NamedEntity;
  readonly target: NamedEntity;
  /** Probability that the pair is right, 0..1; null when nothing was there to calibrate on. */
  readonly confidence: number | null;
  /** Candidates on both sides: the ranks are among them. */
  readonly candidates: { readonly sources: number; readonly targets: number };
  /** Whether the pair was trained on. */
  readonly trainedOn: 'seed' | 'pseudo-seed' | null;
  /** Known counterparts of the two, where the seeds have others. */
  readonly otherCounterparts: {
    readonly source: readonly NamedEntity[];
    readonly target: readonly NamedEntity[];
  };
  /** Each modality alone, the most similar first. */
  readonly modalities: readonly ModalityCosine[];
  readonly neighbours: readonly ExplainedNeighbours[];
  /** Neighbours in common that are known pairs, also those not listed. */
  readonly knownNeighbours: number;
  readonly attributes: {
    /** Names that both have, those of few entities first. */
    readonly shared: readonly string[];
    readonly sourceCount: number;
    readonly targetCount: number;
  };
  readonly lacks: { readonly source: Lacking; readonly target: Lacking };
}

/** What is explained. */
export interface ExplainInput {
  /** Dense index of an entity of the first graph. */
  readonly source: number;
  /** Dense index of an entity of the second graph. */
  readonly target: number;
}

/** Options of {@link explainPairs}. */
export interface ExplainOptions {
  /** A fitted confidence; null for none, by default one fitted on the validation pairs. */
  readonly confidence?: ConfidenceModel | null | undefined;
  readonly signal?: AbortSignal | undefined;
}

const { count: index, signal } = optionFields;
const fields = { confidence: callFields.confidence, signal } satisfies OptionFields<ExplainOptions>;
const pairSchema = z.strictObject({ ...fields, source: index, target: index });
const pairsSchema = z.strictObject({
  ...fields,
  pairs: z.custom(Array.isArray, 'must be a list of pairs'),
});
const bestSchema = z.strictObject({ ...fields, source: index, count: z.int().min(1).optional() });

/**
 * What speaks for and against a pair.
 *
 * @param state - a trained model; `state.seeds` are the pairs taken as known.
 * @param encoding - the model as it is, kept by the caller.
 */
export async function explainPair(
  state: TrainingState,
  encoding: Encoding,
  pair: ExplainInput & ExplainOptions,
): Promise<PairExplanation> {
  checkOptions('alignment/explainPair', pair, pairSchema);
  const options = { confidence: pair.confidence, signal: pair.signal };
  const [explanation] = await explainPairs(state, encoding, { ...options, pairs: [pair] });
  return explanation!;
}

/**
 * The same for several pairs at the price of one search among all candidates. Where an entity has
 * a known counterpart, that one is a candidate too.
 */
export async function explainPairs(
  state: TrainingState,
  encoding: Encoding,
  { pairs, ...options }: ExplainOptions & { readonly pairs: readonly ExplainInput[] },
): Promise<PairExplanation[]> {
  checkOptions('alignment/explainPairs', { pairs, ...options }, pairsSchema);
  const { counterpartsOf } = knownPairs(state);
  const asked = {
    left: pairs.flatMap(({ source, target }) => [source, ...counterpartsOf(target)]),
    right: pairs.flatMap(({ source, target }) => [target, ...counterpartsOf(source)]),
  };
  const { signal } = options;
  const field = await createScoreField(state, encoding, { asked, signal });
  try {
    return await explainAll({ state, encoding, field, confidence: options.confidence }, pairs);
  } finally {
    field.dispose();
  }
}

/**
 * The best candidates of an entity of the first graph, each explained, best first; its known
 * counterparts are candidates as well.
 *
 * @param count - candidates that are explained, default 3.
 */
export async function explainBest(
  state: TrainingState,
  encoding: Encoding,
  { source, count = 3, ...options }: ExplainOptions & { source: number; count?: number },
): Promise<PairExplanation[]> {
  checkOptions('alignment/explainBest', { source, count, ...options }, bestSchema);
  const asked = { left: [source], right: knownPairs(state).counterpartsOf(source) };
  const field = await createScoreField(state, encoding, { asked, signal: options.signal });
  try {
    const targets = await field.best(source, count);
    const pairs = targets.map((target) => ({ source, target }));
    return await explainAll({ state, encoding, field, confidence: options.confidence }, pairs);
  } finally {
    field.dispose();
  }
}

/** What an explanation is made with. */
interface Explaining {
  readonly state: TrainingState;
  readonly encoding: Encoding;
  readonly field: ScoreField;
  readonly confidence: ConfidenceModel | null | undefined;
}

async function explainAll(
  { state, encoding, field, confidence: given }: Explaining,
  pairs: readonly ExplainInput[],
): Promise<PairExplanation[]> {
  const { data, split } = state.task;
  const confidence = given === undefined ? await fieldConfidence(field, split.validation) : given;
  const known = knownPairs(state);
  const search = { index: createNeighbourIndex(data), known, encoding, limit: LISTED };
  const modalities = await modalityCosines(state, encoding, pairs);
  const facts = createFacts(data);
  const explanations: PairExplanation[] = [];
  for (const [at, pair] of pairs.entries()) {
    const scores = await field.scores(pair.source, pair.target);
    const around = await sharedNeighbours(pair, search);
    const lacks = {
      source: lacking(pair.source, around.sourceLacks, { facts, state }),
      target: lacking(pair.target, around.targetLacks, { facts, state }),
    };
    explanations.push({
      ...scores,
      source: facts.named(pair.source),
      target: facts.named(pair.target),
      confidence: confidence === null ? null : confidenceOf(confidence, scores),
      candidates: {
        sources: field.candidates.left.length,
        targets: field.candidates.right.length,
      },
      ...trainedText(pair, known, facts),
      modalities: comparable(modalities[at]!, lacks.source.modalities, lacks.target.modalities),
      ...neighbourText(around, facts),
      attributes: facts.attributes(pair),
      lacks,
    });
  }
  return explanations;
}

/** What the data say of single entities. */
interface Facts {
  named(entity: number): NamedEntity;
  attributes(pair: ExplainInput): PairExplanation['attributes'];
  has(entity: number, modality: Modality): boolean;
}

function createFacts(data: AlignmentData): Facts {
  const { attributes, images, entityNames } = data;
  const withImage = new Set(images?.entities ?? []);
  const degrees = tripleDegrees(data);
  const rowOf = (entity: number) =>
    attributes === null
      ? new Int32Array(0)
      : attributes.columns.subarray(
          attributes.rowPointers[entity],
          attributes.rowPointers[entity + 1],
        );
  const frequency = new Int32Array(attributes?.names.length ?? 0);
  for (const column of attributes?.columns ?? []) frequency[column] = frequency[column]! + 1;
  return {
    named: (entity) => ({ entity, name: entityNames[entity]! }),
    attributes: ({ source, target }) => {
      const ofTarget = new Set(rowOf(target));
      const shared = Array.from(rowOf(source).filter((column) => ofTarget.has(column)));
      shared.sort((a, b) => frequency[a]! - frequency[b]! || a - b);
      return {
        shared: shared.map((column) => attributes!.names[column]!),
        sourceCount: rowOf(source).length,
        targetCount: ofTarget.size,
      };
    },
    has: (entity, modality) => {
      if (modality === 'image') return withImage.has(entity);
      if (modality === 'attribute') return rowOf(entity).length > 0;
      return degrees[entity]! > 0;
    },
  };
}

function trainedText(pair: ExplainInput, known: KnownPairs, { named }: Facts) {
  const { source, target } = pair;
  const isKnown = known.counterpartsOf(source).includes(target);
  const others = (entity: number, other: number) =>
    known
      .counterpartsOf(entity)
      .filter((one) => one !== other)
      .map(named);
  return {
    trainedOn: isKnown ? known.kindOf(source, target) : null,
    otherCounterparts: { source: others(source, target), target: others(target, source) },
  };
}

function neighbourText({ pairs, knownCount }: SharedNeighbours, { named }: Facts) {
  return {
    neighbours: pairs.map((pair) => ({
      ...pair,
      source: named(pair.source),
      target: named(pair.target),
    })),
    knownNeighbours: knownCount,
  };
}

function lacking(
  entity: number,
  neighbours: readonly number[],
  { facts, state }: { readonly facts: Facts; readonly state: TrainingState },
): Lacking {
  return {
    modalities: state.learner.modalities.filter((modality) => !facts.has(entity, modality)),
    neighbours: neighbours.map(facts.named),
  };
}
