/**
 * Where tokens stand, and which of them a query sees.
 */
import { rotaryEmbedding, tf } from '@lab/tensor';
import type { Architecture, RotaryRules } from './architecture.js';
import { type RotaryAngles, rotaryAngles } from './rotary-frequencies.js';

/** A batch of texts: ids and which of them count. */
export interface TokenBatch {
  readonly batchSize: number;
  readonly length: number;
  /** `[B, T]`. */
  readonly ids: Int32Array;
  /** 1 for a token, 0 for padding, `[B, T]`. */
  readonly mask: Uint8Array;
  /** Position of each token, among those that count or as the caller has it, `[B, T]`. */
  readonly positions: Int32Array;
  /** Whether positions are the caller's. */
  readonly arePositionsGiven: boolean;
  readonly isPadded: boolean;
  /** Tokens that count in the longest text: one more than the last position. */
  readonly longest: number;
}

/** What is added to hidden scores; finite, so that a query that sees none is no NaN. */
export const HIDDEN = -1e9;

/** Added to the scores of each key: hides padding, `[B, T]`. */
export const paddingScores = ({ mask }: TokenBatch): Float32Array =>
  Float32Array.from(mask, (counts) => (counts === 0 ? HIDDEN : 0));

/** What turns heads by their positions. */
export interface Turning {
  /**
   * Heads `[B, H, T, F]` turned by their positions.
   *
   * @param tokens - rows in `[B T]` of the tokens that x has, one of each text; default all.
   */
  turned(x: tf.Tensor4D, rules: RotaryRules, tokens?: Int32Array): tf.Tensor4D;
}

/** What blocks need to know of the tokens; made once for a forward pass, freed by its maker. */
export class PositionTables implements Turning {
  private readonly masks = new Map<string, tf.Tensor4D>();
  private readonly angles = new Map<RotaryRules, RotaryAngles>();
  private readonly turns = new Map<RotaryRules, TurningTables>();
  private readonly lastTurns = new Map<RotaryRules, TurningTables>();
  private keys: tf.Tensor2D | null = null;
  private slopes: tf.Tensor4D | null = null;

  constructor(
    private readonly architecture: Architecture,
    private readonly batch: TokenBatch,
  ) {}

  /** Added to the scores of each key, `[B, T]`; undefined where all tokens count. */
  keyMask(): tf.Tensor2D | undefined {
    if (!this.batch.isPadded) return undefined;
    const { batchSize, length } = this.batch;
    this.keys ??= tf.keep(tf.tensor2d(paddingScores(this.batch), [batchSize, length]));
    return this.keys;
  }

  /**
   * Added to scores `[B, H, T, T]`: causal, padding and window; `[B or 1, 1, T, T]`.
   *
   * @param tokens - rows in `[B T]` of the queries, one of each text, `[B or 1, 1, 1, T]` then;
   *   default all.
   */
  scoreMask(window: number | null, tokens?: Int32Array): tf.Tensor4D {
    const name = `${window} ${tokens === undefined ? 'all' : 'last'}`;
    const known = this.masks.get(name);
    if (known !== undefined) return known;
    const { mask, batchSize, length, isPadded } = this.batch;
    const count = isPadded ? batchSize : 1;
    const queries = tokens === undefined ? length : 1;
    const values = new Float32Array(count * queries * length);
    for (let at = 0; at < values.length; at += 1) {
      const [key, row] = [at % length, Math.floor(at / length)];
      const text = Math.floor(row / queries);
      const query = tokens === undefined ? row % length : tokens[text]! % length;
      const isSeen =
        key <= query &&
        (window === null || query - key < window) &&
        mask[text * length + key] !== 0;
      values[at] = isSeen ? 0 : HIDDEN;
    }
    const made = tf.keep(tf.tensor4d(values, [count, 1, queries, length]));
    this.masks.set(name, made);
    return made;
  }

  /**
   * Linear biases of ALiBi, `[B, H, 1, T]`, in the 16 bits in which models have them.
   * Source: Press et al., Train Short, Test Long; rounded as in `transformers`.
   */
  alibi(): tf.Tensor4D {
    if (this.slopes !== null) return this.slopes;
    const { headCount } = this.architecture;
    const { batchSize, length, positions, mask } = this.batch;
    const places = positions.map((position, at) => position * mask[at]!);
    const values = new Float32Array(batchSize * headCount * length);
    for (let text = 0; text < batchSize; text += 1) {
      const own = places.subarray(text * length, (text + 1) * length);
      values.set(alibiBiases(headCount, own), text * headCount * length);
    }
    this.slopes = tf.keep(tf.tensor4d(values, [batchSize, headCount, 1, length]));
    return this.slopes;
  }

  turned(x: tf.Tensor4D, rules: RotaryRules, tokens?: Int32Array): tf.Tensor4D {
    if (tokens !== undefined) return turnedBy(x, this.tables(rules, tokens));
    const { inverseFrequencies, attentionFactor } = this.anglesOf(rules);
    const { isPadded, arePositionsGiven } = this.batch;
    if (!isPadded && !arePositionsGiven && attentionFactor === 1) {
      return rotaryEmbedding(x, { rotaryDim: rules.width, inverseFrequencies });
    }
    return turnedBy(x, this.tables(rules));
  }

  /** Some scalings depend on the longest text. */
  private anglesOf(rules: RotaryRules): RotaryAngles {
    const known = this.angles.get(rules) ?? rotaryAngles(rules, this.batch.longest);
    this.angles.set(rules, known);
    return known;
  }

  private tables(rules: RotaryRules, tokens?: Int32Array): TurningTables {
    const turns = tokens === undefined ? this.turns : this.lastTurns;
    const known = turns.get(rules);
    if (known !== undefined) return known;
    const { batchSize, length, positions } = this.batch;
    const angles = this.anglesOf(rules);
    const own = tokens?.map((token) => positions[token]!);
    const size = [batchSize, own === undefined ? length : 1] as const;
    const made = turningTables(own ?? positions, () => angles, size);
    turns.set(rules, made);
    return made;
  }

  dispose(): void {
    for (const mask of this.masks.values()) mask.dispose();
    for (const { cosines, sines } of [...this.turns.values(), ...this.lastTurns.values()]) {
      tf.dispose([cosines, sines]);
    }
    this.keys?.dispose();
    this.slopes?.dispose();
  }
}

/** Cosines and sines of tokens, `[B, 1, T, R / 2]`; kept, to be freed by their maker. */
export interface TurningTables {
  readonly cosines: tf.Tensor4D;
  readonly sines: tf.Tensor4D;
}

/**
 * The tables of tokens at positions `[B, T]`.
 *
 * @param anglesAt - of each token; all of one width.
 */
export function turningTables(
  positions: Int32Array,
  anglesAt: (token: number) => RotaryAngles,
  [batchSize, length]: readonly [number, number],
): TurningTables {
  const pairs = anglesAt(0).inverseFrequencies.length;
  const cosines = new Float32Array(positions.length * pairs);
  const sines = new Float32Array(positions.length * pairs);
  for (let at = 0; at < cosines.length; at += 1) {
    const token = Math.floor(at / pairs);
    const { inverseFrequencies, attentionFactor } = anglesAt(token);
    const angle = Math.fround(positions[token]! * inverseFrequencies[at % pairs]!);
    cosines[at] = attentionFactor * Math.cos(angle);
    sines[at] = attentionFactor * Math.sin(angle);
  }
  const shape: [number, number, number, number] = [batchSize, 1, length, pairs];
  const placed = (values: Float32Array) => tf.keep(tf.tensor4d(values, shape));
  return { cosines: placed(cosines), sines: placed(sines) };
}

/** Heads `[B, H, T, F]` turned by tables; features behind those that turn stay. */
export function turnedBy(x: tf.Tensor4D, { cosines, sines }: TurningTables): tf.Tensor4D {
  const [batch, heads, tokens, features] = x.shape;
  const half = cosines.shape[3];
  const part = (start: number, size: number) =>
    tf.slice(x, [0, 0, 0, start], [batch, heads, tokens, size]);
  const [first, second] = [part(0, half), part(half, half)];
  const rest = features > 2 * half ? [part(2 * half, features - 2 * half)] : [];
  const turnedFirst = tf.sub(tf.mul(first, cosines), tf.mul(second, sines));
  const turnedSecond = tf.add(tf.mul(second, cosines), tf.mul(first, sines));
  return tf.concat([turnedFirst, turnedSecond, ...rest], 3) as tf.Tensor4D;
}

/** Biases of ALiBi of keys at positions, `[H, S]`, in 16 bits. */
export function alibiBiases(headCount: number, positions: ArrayLike<number>): Float32Array {
  const slopes = alibiSlopes(headCount).map(roundedToBfloat16);
  const count = positions.length;
  return Float32Array.from({ length: headCount * count }, (_, at) =>
    roundedToBfloat16(slopes[Math.floor(at / count)]! * positions[at % count]!),
  );
}

/** Slope of each head: a geometric sequence, filled up from one of twice as many. */
function alibiSlopes(headCount: number): number[] {
  const power = 2 ** Math.floor(Math.log2(headCount));
  const sequence = (count: number) =>
    Array.from({ length: count }, (_, at) => 2 ** ((-8 * (at + 1)) / count));
  const extra = sequence(2 * power).filter((_, at) => at % 2 === 0);
  return [...sequence(power), ...extra.slice(0, headCount - power)];
}

/** The nearest number of 16 bits, ties to even. */
function roundedToBfloat16(value: number): number {
  const words = new Uint32Array(Float32Array.of(value).buffer);
  words[0] = (words[0]! + 0x7fff + ((words[0]! >>> 16) & 1)) & 0xffff0000;
  return new Float32Array(words.buffer)[0]!;
}
