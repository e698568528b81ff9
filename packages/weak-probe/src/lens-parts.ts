/**
 * Logits read part by part, so that large vocabularies and many prompts fit into memory.
 */
import { tf } from '@lab/tensor';
import { type Model, outputParts } from '@lab/transformer';
import type { FollowedTokens, StateLens } from './lens.js';

/** Bytes of logits that are there at once unless another number is given. */
export const PART_BYTES = 64e6;

/** What is read of rows. */
export interface LensRequest {
  /** K. */
  readonly top: number;
  /** M tokens that are followed. */
  readonly tokens: readonly number[];
  /** Bytes of logits that are there at once. */
  readonly partBytes: number;
  readonly signal: AbortSignal | undefined;
}

/** How logits `[N, V]` are cut up. */
export interface PartShape {
  readonly rows: number;
  readonly tokens: number;
}

/** Tokens of a part at least, where weights of the output are read for each. */
const LEAST_TOKENS = 8192;

/**
 * Rows and tokens whose logits are made together: all tokens of as many rows as fit; but where not
 * even one row fits, or the output's weights are read from files, parts of the vocabulary of as
 * many rows as may be, so that weights are read seldom.
 */
export function partShape(
  { rowCount, vocabularySize }: { readonly rowCount: number; readonly vocabularySize: number },
  { partBytes, areRead }: { readonly partBytes: number; readonly areRead: boolean },
): PartShape {
  const most = Math.max(1, Math.floor(partBytes / 4));
  if (!areRead && vocabularySize <= most) {
    const rows = Math.min(rowCount, Math.floor(most / vocabularySize));
    return { rows: Math.max(1, rows), tokens: vocabularySize };
  }
  const least = Math.min(vocabularySize, LEAST_TOKENS, most);
  const rows = Math.max(1, Math.min(rowCount, Math.floor(most / least)));
  return { rows, tokens: Math.min(vocabularySize, Math.floor(most / rows)) };
}

/** What is read of logits. */
type Readings = Omit<StateLens, 'state' | 'top'>;

/**
 * What the output says of rows.
 *
 * @param rows - behind the last block, before the final norm, `[n, D]`; stay the caller's.
 * @param tokens - of the vocabulary in a part, see {@link partShape}.
 */
export async function readRows(
  model: Model,
  rows: tf.Tensor2D,
  request: LensRequest & { readonly partTokens: number },
): Promise<Readings> {
  const { tokens, partTokens, signal } = request;
  const { vocabularySize } = model.architecture;
  const isWhole = partTokens >= vocabularySize;
  const known = isWhole || tokens.length === 0 ? null : await followedLogits(model, rows, request);
  const tally = new LensTally(rows.shape[0], request, known);
  for await (const { start, logits } of outputParts(model, rows, partTokens)) {
    signal?.throwIfAborted();
    await tally.add(start, logits);
  }
  return tally.readings();
}

/** Logits of the followed tokens, `[n, M]`, before ranks can be counted. */
async function followedLogits(
  model: Model,
  rows: tf.Tensor2D,
  { tokens, partTokens }: LensRequest & { readonly partTokens: number },
): Promise<Float32Array> {
  const found = new Float32Array(rows.shape[0] * tokens.length);
  for await (const { start, logits } of outputParts(model, rows, partTokens)) {
    const own = tokens.flatMap((id, at) =>
      id >= start && id < start + logits.shape[1] ? [{ column: id - start, at }] : [],
    );
    if (own.length === 0) continue;
    const columns = await columnsOf(
      logits,
      own.map(({ column }) => column),
    );
    for (const [place, value] of columns.entries()) {
      const row = Math.floor(place / own.length);
      found[row * tokens.length + own[place % own.length]!.at] = value;
    }
  }
  return found;
}

async function columnsOf(logits: tf.Tensor2D, columns: readonly number[]): Promise<Float32Array> {
  return dataOf(tf.gather(logits, [...columns], 1));
}

/** Values of a tensor, which is freed. */
async function dataOf(value: tf.Tensor): Promise<Float32Array> {
  const data = Float32Array.from(await value.data());
  value.dispose();
  return data;
}

/** Readings of rows as parts of their logits come. */
class LensTally {
  private readonly ids: Int32Array;
  private readonly logits: Float32Array;
  /** Of each row: largest logit m, sum of `exp(z - m)`, and sum of `exp(z - m) (z - m)`. */
  private readonly most: Float64Array;
  private readonly sums: Float64Array;
  private readonly weighted: Float64Array;
  private readonly above: Int32Array;
  private listed = 0;

  constructor(
    private readonly count: number,
    private readonly request: Pick<LensRequest, 'tokens' | 'top'>,
    private followed: Float32Array | null,
  ) {
    const { top, tokens } = request;
    this.ids = new Int32Array(count * top);
    this.logits = new Float32Array(count * top);
    this.most = new Float64Array(count).fill(Number.NEGATIVE_INFINITY);
    [this.sums, this.weighted] = [new Float64Array(count), new Float64Array(count)];
    this.above = new Int32Array(count * tokens.length);
  }

  /** Takes in logits of the tokens from `start` on, `[n, tokens]`. */
  async add(start: number, logits: tf.Tensor2D): Promise<void> {
    const { tokens } = this.request;
    const listed = Math.min(this.request.top, logits.shape[1]);
    if (tokens.length > 0) {
      this.followed ??= await columnsOf(logits, tokens);
      await this.countAbove(logits, this.followed);
    }
    const found = tf.tidy(() => {
      const { values, indices } = tf.topk(logits, listed);
      const most = tf.slice(values, [0, 0], [-1, 1]);
      const off = tf.sub(logits, most);
      const shares = tf.exp(off);
      const weighted = tf.sum(tf.mul(shares, off), 1);
      return { values, indices, sums: tf.sum(shares, 1), weighted };
    });
    const [values, indices, sums, weighted] = [
      ...[await dataOf(found.values), await dataOf(found.indices)],
      ...[await dataOf(found.sums), await dataOf(found.weighted)],
    ] as [Float32Array, Float32Array, Float32Array, Float32Array];
    for (let row = 0; row < this.count; row += 1) {
      const own = { from: row * listed, listed, start, values, indices };
      this.addSums(row, { most: values[row * listed]!, sum: sums[row]!, weighted: weighted[row]! });
      this.addTops(row, own);
    }
    this.listed = Math.min(this.request.top, this.listed + listed);
  }

  private async countAbove(logits: tf.Tensor2D, followed: Float32Array): Promise<void> {
    const { length } = this.request.tokens;
    for (let at = 0; at < length; at += 1) {
      const own = followed.filter((_, place) => place % length === at);
      const counts = tf.tidy(() => {
        const higher = tf.greater(logits, tf.tensor2d(own, [this.count, 1]));
        return tf.sum(tf.cast(higher, 'int32'), 1);
      });
      const data = await dataOf(counts);
      for (let row = 0; row < this.count; row += 1) this.above[row * length + at]! += data[row]!;
    }
  }

  private addSums(row: number, { most, sum, weighted }: PartSums): void {
    const high = Math.max(this.most[row]!, most);
    // exp(z - h) = exp(z - m) exp(m - h), and z - h = (z - m) + (m - h).
    const shifted = (own: PartSums) => {
      const shift = own.most - high;
      const factor = Math.exp(shift);
      if (own.sum === 0) return { sum: 0, weighted: 0 };
      return { sum: own.sum * factor, weighted: factor * (own.weighted + shift * own.sum) };
    };
    const before = { most: this.most[row]!, sum: this.sums[row]!, weighted: this.weighted[row]! };
    const [a, b] = [shifted(before), shifted({ most, sum, weighted })];
    this.most[row] = high;
    this.sums[row] = a.sum + b.sum;
    this.weighted[row] = a.weighted + b.weighted;
  }

  /** Merges two sorted lists; of equal logits the earlier token comes first. */
  private addTops(row: number, { from, listed, start, values, indices }: PartTops): void {
    const { top } = this.request;
    const place = row * top;
    const known = Array.from({ length: this.listed }, (_, at) => ({
      ...{ id: this.ids[place + at]!, logit: this.logits[place + at]! },
    }));
    const more = Array.from({ length: listed }, (_, at) => ({
      ...{ id: start + indices[from + at]!, logit: values[from + at]! },
    }));
    const all = [...known, ...more].toSorted((a, b) => b.logit - a.logit).slice(0, top);
    for (const [at, { id, logit }] of all.entries()) {
      this.ids[place + at] = id;
      this.logits[place + at] = logit;
    }
  }

  /** What was read. */
  readings(): Readings {
    const { top, tokens } = this.request;
    const normalisers = this.most.map((most, row) => most + Math.log(this.sums[row]!));
    const less = (values: Float32Array, columns: number) =>
      values.map((value, at) => value - normalisers[Math.floor(at / columns)]!);
    const { followed } = this;
    return {
      ...{ ids: this.ids, logits: this.logits, logProbabilities: less(this.logits, top) },
      entropies: Float32Array.from(
        this.sums,
        (sum, row) => Math.log(sum) - this.weighted[row]! / sum,
      ),
      followed: followed && {
        ...{ ids: tokens, logits: followed },
        logProbabilities: less(followed, tokens.length),
        ranks: this.above.map((count) => count + 1),
      },
    } satisfies Readings & { readonly followed: FollowedTokens | null };
  }
}

interface PartSums {
  readonly most: number;
  readonly sum: number;
  readonly weighted: number;
}

interface PartTops {
  readonly from: number;
  readonly listed: number;
  readonly start: number;
  readonly values: Float32Array;
  readonly indices: Float32Array;
}
