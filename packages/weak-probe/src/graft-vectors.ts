/**
 * What is grafted: states of donors, and vectors that show what any change of that size does.
 */
import { ConfigError, createRandom, DataError, type Random } from '@lab/core';
import type { Model } from '@lab/transformer';
import { lengthOf } from './grafting.js';
import { assertOfModel, rowOf, type StateRows } from './state-rows.js';

/**
 * Where the vector of a recipient comes from. Donors: `mean` of all; `nearest` to the recipient's
 * own state by cosine; `single`, the first of them. Controls: `random-donor`, another for each
 * recipient; `other-recipient`, the state of another prompt of the recipient's class; `shuffled`,
 * the mean with its numbers in another order; `noise` of the mean's length; `self`, which changes
 * nothing.
 */
export const graftSources = [
  'mean',
  'nearest',
  'single',
  'random-donor',
  'other-recipient',
  'shuffled',
  'noise',
  'self',
] as const;

/** Where the vector of a recipient comes from; see {@link graftSources}. */
export type GraftSource = (typeof graftSources)[number];

/** States that vectors are made of, all of one layer. */
export interface GraftStates {
  /** `[M, D]`. */
  readonly donors: Float32Array;
  /** `[N, D]`. */
  readonly recipients: Float32Array;
  /** D. */
  readonly width: number;
}

/**
 * Vectors to be grafted into some recipients. Draws depend on the stream and the recipient alone,
 * not on who else is asked for.
 *
 * @param rows - recipients, by their places among all.
 * @param random - of this source and state.
 * @returns `[rows, D]`.
 * @throws {DataError} where there are no donors.
 * @throws {ConfigError} for `other-recipient` with a single recipient.
 */
export function graftVectors(
  source: GraftSource,
  states: GraftStates,
  rows: readonly number[],
  random: Random,
): Float32Array {
  const { donors, recipients, width } = states;
  if (donors.length === 0) {
    throw new DataError('weak-probe/graft: there are no donors.', {
      help: 'Give prompts that the model answers.',
    });
  }
  const vectorOf = vectorMaker(source, states, random);
  const vectors = new Float32Array(rows.length * width);
  for (const [at, row] of rows.entries()) {
    vectors.set(vectorOf(row, rowOf(recipients, row, width)), at * width);
  }
  return vectors;
}

/** Whose states are grafted into whom. */
export interface GraftParties {
  /** Of the recipients themselves, row by row. */
  readonly recipientStates: StateRows;
  /** Of the donors, from the same model. */
  readonly donorStates: StateRows;
  /** Of the draws of controls; default 42. */
  readonly seed?: number | undefined;
}

/** What is grafted where. */
export interface GraftAim {
  readonly source: GraftSource;
  readonly state: number;
  /** Recipients, by their places among all. */
  readonly rows: readonly number[];
}

/** As {@link graftVectors}, at a state of the parties. */
export async function vectorsAt(
  { recipientStates, donorStates, seed = 42 }: GraftParties,
  { source, state, rows }: GraftAim,
): Promise<Float32Array> {
  const states = {
    donors: await donorStates.readState(state),
    recipients: await recipientStates.readState(state),
    width: recipientStates.width,
  };
  return graftVectors(source, states, rows, createRandom(seed).fork(`graft/${source}/${state}`));
}

/**
 * Refuses parties that do not fit.
 *
 * @param count - recipients.
 * @throws {ShapeError} for states of another model.
 * @throws {ConfigError} where there are not as many states as recipients.
 */
export function assertParties(
  model: Pick<Model, 'architecture'>,
  { recipientStates, donorStates }: GraftParties,
  count: number,
): void {
  assertOfModel(model, recipientStates, 'weak-probe/graft, recipients');
  assertOfModel(model, donorStates, 'weak-probe/graft, donors');
  if (recipientStates.rowCount === count) return;
  throw new ConfigError(
    `weak-probe/graft: ${count} recipients, states of ${recipientStates.rowCount}.`,
    { help: 'Give the states of the recipients, row by row.' },
  );
}

type VectorOf = (row: number, own: Float32Array) => ArrayLike<number>;

function vectorMaker(source: GraftSource, states: GraftStates, random: Random): VectorOf {
  const { donors, recipients, width } = states;
  const [donorCount, count] = [donors.length / width, recipients.length / width];
  const mean = meanRow(donors, width);
  const drawsOf = (row: number) => random.fork(String(row));
  switch (source) {
    case 'mean':
      return () => mean;
    case 'nearest':
      return (_, own) => nearestRow(donors, own);
    case 'single':
      return () => rowOf(donors, 0, width);
    case 'random-donor':
      return (row) => rowOf(donors, drawsOf(row).integer(donorCount), width);
    case 'other-recipient': {
      if (count < 2) throw alone();
      return (row) => {
        const drawn = drawsOf(row).integer(count - 1);
        return rowOf(recipients, drawn < row ? drawn : drawn + 1, width);
      };
    }
    case 'shuffled':
      return (row) => drawsOf(row).shuffle(mean.slice());
    case 'noise':
      return (row) => {
        const drawn = drawsOf(row).fillNormal(new Float32Array(width));
        const scale = lengthOf(mean) / lengthOf(drawn);
        return drawn.map((value) => value * scale);
      };
    case 'self':
      return (_, own) => own;
  }
}

const alone = () =>
  new ConfigError('weak-probe/graft: there is no other recipient.', {
    help: 'Give two recipients at least, or leave the control other-recipient out.',
  });

/** Mean of rows, `[D]`. */
export function meanRow(rows: Float32Array, width: number): Float64Array {
  const count = rows.length / width;
  const sum = new Float64Array(width);
  for (const [at, value] of rows.entries()) sum[at % width]! += value;
  return sum.map((value) => value / count);
}

/** The row with the greatest cosine to a vector; of equal ones the first. */
function nearestRow(rows: Float32Array, vector: Float32Array): Float32Array {
  const width = vector.length;
  let best = { cosine: Number.NEGATIVE_INFINITY, row: 0 };
  for (let row = 0; row < rows.length / width; row += 1) {
    const own = rowOf(rows, row, width);
    const product = own.reduce((sum, value, at) => sum + value * vector[at]!, 0);
    const cosine = product / (lengthOf(own) * lengthOf(vector));
    if (cosine > best.cosine) best = { cosine, row };
  }
  return rowOf(rows, best.row, width);
}
