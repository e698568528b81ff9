/**
 * Which parts of a model a logit comes from.
 */
import { checkOptions, ConfigError, DataError, type OptionFields } from '@lab/core';
import { z } from 'zod';
import { withoutPrefix } from './hook-aliases.js';
import type { Model } from './model.js';
import { passFields, tokenFields } from './pass-fields.js';
import {
  type ComponentInput,
  eachComponent,
  type ResidualComponent,
} from './residual-components.js';
import { assertHeld } from './weights/placed-parts.js';
import { floatsOf } from './weights/stored-numbers.js';

/** What {@link logitAttribution} reads. */
export interface AttributionInput extends ComponentInput {
  /** Of each text the token whose logit, at its last token, is taken apart. */
  readonly tokens: readonly number[];
  /** Of each text a token whose logit is taken off; default none. */
  readonly against?: readonly number[] | undefined;
}

const inputSchema = z.strictObject({
  ...tokenFields,
  tokens: passFields.ofTexts,
  against: passFields.ofTexts.optional(),
  interventions: passFields.interventions,
} satisfies OptionFields<AttributionInput>);

/** What every part adds to a logit. */
export interface LogitAttribution {
  /** In the order of a pass, C of them; last `ln_final.bias` where the final norm has one. */
  readonly components: readonly ResidualComponent[];
  /** `[B, C]`. */
  readonly shape: readonly [number, number];
  readonly values: Float32Array;
  /** Their sums: the logit, or the difference, before any cap, `[B]`. */
  readonly logits: Float32Array;
}

/**
 * Direct logit attribution: what each part of the model adds to a logit, or to the difference of
 * two, at the last token of each text.
 *
 * `a_c = (x_c - mean(x_c)) / s * gain . (W_U[token] - W_U[other])`, without the mean for RMS norms;
 * `x_c` is what part c writes ({@link residualComponents}), `s` the scale of the final norm in the
 * same pass. The sum over c is the model's logit; what a part does by way of later ones is not in
 * it. A cap of logits (Gemma 2) bends: behind it nothing is a sum, so that parts are those of the
 * logit before it, whose order among tokens is the same.
 * Source: Elhage et al., A Mathematical Framework for Transformer Circuits; Wang et al.,
 * Interpretability in the Wild (differences of logits).
 *
 * @throws {ConfigError} where `tokens` or `against` are not one for each text, and for an option
 *   that is not known or of another kind.
 * @throws {DataError} for a token that the vocabulary does not have.
 */
export async function logitAttribution(
  model: Model,
  { tokens, against, ...input }: AttributionInput,
): Promise<LogitAttribution> {
  checkOptions('transformer/logitAttribution', { tokens, against, ...input }, inputSchema);
  assertHeld(model.parts);
  const { width } = model.architecture;
  const batchSize = input.ids.length;
  assertTokens(model, tokens, { batchSize, name: 'tokens' });
  if (against !== undefined) assertTokens(model, against, { batchSize, name: 'against' });
  const { directions, biases } = await outputDirections(model, tokens, against);
  const components: ResidualComponent[] = [];
  const products: Float64Array[] = [];
  const scale = await eachComponent(model, input, (component, rows) => {
    components.push(component);
    products.push(rowProducts(rows, directions, width));
  });
  const scaled: Float64Array[] = products.map((column) =>
    column.map((value, text) => value / scale[text]!),
  );
  if (biases !== null) {
    components.push({ name: 'ln_final.bias', layer: null, head: null });
    scaled.push(biases);
  }
  return attributionOf(components, scaled, batchSize);
}

/** A model by the size of its vocabulary. */
interface Vocabulary {
  readonly architecture: { readonly vocabularySize: number };
}

/**
 * What parts add, and their sums.
 *
 * @param columns - of each part, `[B]`.
 */
export function attributionOf(
  components: readonly ResidualComponent[],
  columns: readonly Float64Array[],
  batchSize: number,
): LogitAttribution {
  const count = components.length;
  const values = Float32Array.from({ length: batchSize * count }, (_, at) => {
    return columns[at % count]![Math.floor(at / count)]!;
  });
  const logits = Float32Array.from({ length: batchSize }, (_, text) =>
    columns.reduce((sum, column) => sum + column[text]!, 0),
  );
  return { components, shape: [batchSize, count], values, logits };
}

/**
 * The logit as it grows from part to part: sums of an attribution's first values, all under the
 * scale of the final norm that the whole pass has. `logitLens` takes each layer's own.
 *
 * @returns `[B, C]`.
 */
export function accumulatedLogits({ shape, values }: LogitAttribution): Float32Array {
  const count = shape[1];
  let sum = 0;
  return Float32Array.from(values, (value, at) => (sum = at % count === 0 ? value : sum + value));
}

/** @throws as {@link logitAttribution}, for tokens that are not one for each text. */
export function assertTokens(
  { architecture: { vocabularySize } }: Vocabulary,
  tokens: readonly number[],
  { batchSize, name }: { readonly batchSize: number; readonly name: string },
): void {
  if (tokens.length !== batchSize) {
    throw new ConfigError(
      `transformer/attribution: ${name} has ${tokens.length} tokens for ${batchSize} texts.`,
      { help: 'Give one for each text; repeat a text to ask for several of its tokens.' },
    );
  }
  const wrong = tokens.find((id) => !Number.isInteger(id) || id < 0 || id >= vocabularySize);
  if (wrong === undefined) return;
  throw new DataError(
    `transformer/attribution: ${name} has the id ${wrong}, the vocabulary has ${vocabularySize}.`,
    { help: 'Tokenise with the tokenizer of this model.' },
  );
}

/**
 * What rows behind the last block are multiplied with, `[B, D]`, but for the scale: gain of the
 * final norm times rows of the output, centred where the norm centres. And what its bias adds.
 */
export async function outputDirections(
  model: Model,
  tokens: readonly number[],
  against: readonly number[] | undefined,
): Promise<{ readonly directions: Float64Array; readonly biases: Float64Array | null }> {
  const { width, norm: rules } = model.architecture;
  const { norm } = model.parts.around;
  const gain = (await norm.gain.data()) as Float32Array;
  const bias = (await norm.bias?.data()) as Float32Array | undefined;
  const directions = new Float64Array(tokens.length * width);
  const biases = bias === undefined ? null : new Float64Array(tokens.length);
  for (const [text, token] of tokens.entries()) {
    const row = await outputRow(model, token);
    const other = against === undefined ? null : await outputRow(model, against[text]!);
    const difference = Float64Array.from(row, (value, at) => value - (other?.[at] ?? 0));
    const own = difference.map((value, at) => value * gain[at]!);
    const mean = rules.kind === 'rms' ? 0 : own.reduce((sum, value) => sum + value, 0) / width;
    // x - mean(x) times a vector is x times the vector without its mean.
    for (const [at, value] of own.entries()) directions[text * width + at] = value - mean;
    if (biases !== null) biases[text] = dot(difference, bias!);
  }
  return { directions, biases };
}

/** Row of the output's weights, from the files: the embedding's where they have no other. */
async function outputRow({ architecture, parts }: Model, token: number): Promise<Float32Array> {
  const { output, embedding } = architecture.modules;
  const { checkpoint } = parts;
  const names = [output, embedding].flatMap((name) => [name, withoutPrefix(architecture, name)]);
  const name = names.map((one) => `${one}.weight`).find((one) => checkpoint.weights.has(one))!;
  return floatsOf(await checkpoint.readStored(name, { start: token, count: 1 }));
}

const dot = (a: Float64Array, b: ArrayLike<number>): number =>
  a.reduce((sum, value, at) => sum + value * b[at]!, 0);

/** Products of rows, `[B]`. */
export function rowProducts(rows: Float64Array, others: Float64Array, width: number): Float64Array {
  return Float64Array.from({ length: rows.length / width }, (_, row) => {
    const end = (row + 1) * width;
    return dot(rows.subarray(row * width, end), others.subarray(row * width, end));
  });
}
