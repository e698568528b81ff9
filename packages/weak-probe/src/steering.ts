/**
 * Steering: a direction added to states, or taken out of them.
 */
import { ConfigError, ShapeError } from '@lab/core';
import type { Intervention, Model, Tokenizer } from '@lab/transformer';
import { type FirstToken, firstTokenOf, firstTokens, type Openings } from './first-tokens.js';
import { type GraftPoint, summaryOf } from './graft-sweep.js';
import { lengthOf } from './grafting.js';
import type { EncodedPrompt } from './hidden-states.js';
import {
  type RespondOptions,
  respondTo,
  responseShares,
  type ResponseShares,
} from './responses.js';
import { type CallOptions, rowOf } from './state-rows.js';
import { statePlaces } from './state-places.js';
import { assertState } from './state-store.js';

/** A direction among states, such as that of a linear probe. */
export interface Direction {
  /** `[D]`, of any length but 0; towards the class that is steered to with doses above 0. */
  readonly vector: ArrayLike<number>;
  /**
   * Length of a dose of 1, in units of the states; default 1. See {@link meanDistance} for that of
   * the classes.
   */
  readonly unit?: number | undefined;
}

/** What is done with it. */
export interface Steering {
  /** `add`: dose times unit along the direction; `project-out`: what a state has along it is 0. */
  readonly kind: 'add' | 'project-out';
  readonly direction: Direction;
  /** 0 the embedding, k behind block k - 1. */
  readonly states: readonly number[];
  /** All tokens, of the response as well, or the last of the prompt; default `all`. */
  readonly positions?: 'all' | 'last' | undefined;
  /** Of `add`; default 1. */
  readonly dose?: number | undefined;
  /** Of `project-out`: what a state has along the direction afterwards; default 0. */
  readonly coordinate?: number | undefined;
}

/**
 * Steering as interventions of a pass over a prompt of so many tokens, or of its generation.
 *
 * `add`: `u + dose unit d / |d|`; `project-out`: `u - (u . d) d / |d|^2`, then plus
 * `coordinate d / |d|`.
 *
 * @throws {ShapeError} for a direction of another width than the model's.
 * @throws {ConfigError} for states that are not there, and a direction of length 0.
 */
export function steeringInterventions(
  architecture: Model['architecture'],
  { kind, direction, states, positions = 'all', dose = 1, coordinate = 0 }: Steering,
  length: number,
): Intervention[] {
  const { layerCount, width } = architecture;
  for (const state of states) assertState(state, layerCount + 1);
  const unit = unitVector(direction, width);
  const places = statePlaces(architecture, { site: 'residual' });
  const span = positions === 'last' ? { positions: [length - 1] } : {};
  const along = (size: number) => unit.map((value) => value * size);
  const changes: Pick<Intervention, 'kind' | 'value'>[] =
    kind === 'add'
      ? [{ kind, value: along(dose * (direction.unit ?? 1)) }]
      : [
          { kind, value: unit },
          ...(coordinate === 0 ? [] : [{ kind: 'add', value: along(coordinate) } as const]),
        ];
  return states.flatMap((state) =>
    changes.map((change) => ({ ...change, site: places[state]!.name, ...span })),
  );
}

function unitVector({ vector }: Direction, width: number): number[] {
  if (vector.length !== width) {
    throw new ShapeError(
      `weak-probe/steer: the direction has ${vector.length} numbers, states have ${width}.`,
      { expected: width, got: vector.length, help: 'Fit the probe on states of this model.' },
    );
  }
  const length = lengthOf(vector);
  if (length > 0 && Number.isFinite(length)) return Array.from(vector, (value) => value / length);
  throw new ConfigError(`weak-probe/steer: the direction has the length ${length}.`, {
    help: 'Take a probe of a state whose features differ.',
  });
}

/**
 * How far apart the means of two classes are along a direction, and where they are: a natural size
 * of a dose.
 *
 * @param rows - `[N, D]`.
 * @param isPositive - of each row, whether it is of the class that the direction points to.
 */
export function meanDistance(
  rows: Float32Array,
  isPositive: readonly boolean[],
  vector: ArrayLike<number>,
): { readonly unit: number; readonly positive: number; readonly negative: number } {
  const width = vector.length;
  const length = lengthOf(vector);
  const sums = { positive: { sum: 0, n: 0 }, negative: { sum: 0, n: 0 } };
  for (const [row, isOf] of isPositive.entries()) {
    const own = rowOf(rows, row, width);
    const product = own.reduce((sum, value, at) => sum + value * vector[at]!, 0);
    const side = isOf ? sums.positive : sums.negative;
    side.sum += product / length;
    side.n += 1;
  }
  const [positive, negative] = [sums.positive, sums.negative].map(({ sum, n }) => sum / n);
  return { unit: positive! - negative!, positive: positive!, negative: negative! };
}

/** Prompts and what is read of them. */
export interface SteeredPrompts extends CallOptions {
  readonly prompts: readonly EncodedPrompt[];
  readonly openings: Openings;
  /** Tokens that go through a block together; default 4096. */
  readonly batchTokens?: number | undefined;
}

/** First tokens of prompts under a steering; without one, unchanged. */
export async function steeredFirstTokens(
  model: Model,
  { prompts, openings, batchTokens, signal, onProgress }: SteeredPrompts,
  steerings: readonly Steering[],
): Promise<FirstToken[]> {
  const found: FirstToken[] = [];
  const { architecture } = model;
  const changes = (length: number) =>
    steerings.flatMap((one) => steeringInterventions(architecture, one, length));
  const onRow = (row: number, logits: Float32Array) => {
    found[row] = firstTokenOf(logits, openings);
  };
  await firstTokens(model, prompts, onRow, { changes, batchTokens, signal, onProgress });
  return found;
}

/** A point of a dose-response curve. */
export interface DosePoint extends Omit<GraftPoint, 'kl' | 'source' | 'state'> {
  readonly dose: number;
  /** Whole responses, where they are asked for. */
  readonly responses: ResponseShares | null;
}

/** How {@link doseResponse} measures. */
export interface DoseOptions extends SteeredPrompts {
  readonly steering: Omit<Steering, 'dose' | 'kind'>;
  /** Default -2 to 2 in halves. */
  readonly doses?: readonly number[] | undefined;
  /** For whole responses, generated and judged; default first tokens alone. */
  readonly respond?: ({ readonly tokenizer: Tokenizer } & RespondOptions) | undefined;
}

/** Doses of a curve that names none. */
export const defaultDoses: readonly number[] = [-2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2];

/**
 * What responses become as more of a direction is added: first tokens, and whole responses where
 * they are asked for.
 *
 * @throws as `steeringInterventions`.
 */
export async function doseResponse(model: Model, options: DoseOptions): Promise<DosePoint[]> {
  const { steering, doses = defaultDoses, respond, prompts, onProgress } = options;
  const points: DosePoint[] = [];
  for (const [at, dose] of doses.entries()) {
    const one: Steering = { ...steering, kind: 'add', dose };
    const asked = { ...options, onProgress: undefined };
    const { kl: _, ...summary } = summaryOf(await steeredFirstTokens(model, asked, [one]));
    const responses =
      respond === undefined ? null : await steeredShares(model, [one], { prompts, ...respond });
    points.push({ dose, ...summary, responses });
    onProgress?.(at + 1, doses.length);
  }
  return points;
}

/** What is responded to, and how. */
export interface SteeredResponses extends RespondOptions {
  readonly prompts: readonly EncodedPrompt[];
  readonly tokenizer: Tokenizer;
}

/** Shares of whole responses under steerings. */
export async function steeredShares(
  model: Model,
  steerings: readonly Steering[],
  { prompts, tokenizer, ...respond }: SteeredResponses,
): Promise<ResponseShares> {
  const changed = prompts.map((prompt) => ({
    prompt,
    interventions: steerings.flatMap((one) =>
      steeringInterventions(model.architecture, one, prompt.ids.length),
    ),
  }));
  return responseShares(await respondTo(model, tokenizer, changed, respond));
}
