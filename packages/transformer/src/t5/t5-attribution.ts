/**
 * Which parts of a T5's decoder a logit comes from.
 */
import { checkOptions, type OptionFields } from '@lab/core';
import { z } from 'zod';
import { assertTokens, attributionOf, type LogitAttribution, rowProducts } from '../attribution.js';
import { type Captured, Captures } from '../captures.js';
import type { Intervention } from '../interventions.js';
import { passFields, tokenFields } from '../pass-fields.js';
import type { ResidualComponent } from '../residual-components.js';
import { lastTokens } from '../token-batch.js';
import { assertHeld } from '../weights/placed-parts.js';
import { floatsOf } from '../weights/stored-numbers.js';
import { decoderBatch } from './t5-batches.js';
import type { T5Input, T5Model } from './t5-model.js';

/** What {@link t5LogitAttribution} reads. */
export interface T5AttributionInput
  extends Pick<T5Input, 'decoderIds' | 'decoderMask' | 'ids' | 'mask'> {
  /** Of each text the token whose logit, at its decoder's last token, is taken apart. */
  readonly tokens: readonly number[];
  /** Of each text a token whose logit is taken off; default none. */
  readonly against?: readonly number[] | undefined;
  readonly interventions?: readonly Intervention[] | undefined;
}

const inputSchema = z.strictObject({
  ...tokenFields,
  decoderIds: passFields.rows,
  decoderMask: passFields.rows.optional(),
  tokens: passFields.ofTexts,
  against: passFields.ofTexts.optional(),
  interventions: passFields.interventions,
} satisfies OptionFields<T5AttributionInput>);

/** Places that components are read from, of last tokens. */
const WRITTEN =
  /^decoder\.(0\.hook_resid_pre|.*hook_(result|mlp_out|resid_post)|final_ln\.hook_scale)$/;

/**
 * As `logitAttribution`, of a T5: what the embedding, every head of the decoder among its own
 * tokens (`decoder.0.attn.head.0`) and over the encoder's (`decoder.0.cross_attn.head.0`), and
 * every MLP add to a logit, or to the difference of two, at the last token of each text's decoder.
 *
 * `a_c = x_c / s * gain * f . (W_U[token] - W_U[other])`, with the scale s of the final norm in the
 * same pass and the factor f of rows before the output. What the encoder does is in the heads over
 * its tokens.
 *
 * @throws as `logitAttribution`.
 */
export async function t5LogitAttribution(
  model: T5Model,
  { tokens, against, ...input }: T5AttributionInput,
): Promise<LogitAttribution> {
  checkOptions('transformer/t5LogitAttribution', { tokens, against, ...input }, inputSchema);
  assertHeld(model.parts);
  const batchSize = input.ids.length;
  assertTokens(model, tokens, { batchSize, name: 'tokens' });
  if (against !== undefined) assertTokens(model, against, { batchSize, name: 'against' });
  const directions = await outputDirections(model, tokens, against);
  const captured = await writtenAt(model, input);
  const scale = captured.get('decoder.final_ln.hook_scale')!.data;
  const components: ResidualComponent[] = [];
  const columns: Float64Array[] = [];
  const { width } = model.architecture;
  const visit = (component: ResidualComponent, rows: Float64Array) => {
    components.push(component);
    const products = rowProducts(rows, directions, width);
    columns.push(products.map((value, text) => value / scale[text]!));
  };
  visitComponents(model, { captured, isChanged: (input.interventions ?? []).length > 0 }, visit);
  return attributionOf(components, columns, batchSize);
}

/** Values of the decoder's last tokens that components are made of. */
async function writtenAt(
  model: T5Model,
  input: Omit<T5AttributionInput, 'against' | 'tokens'>,
): Promise<ReadonlyMap<string, Captured>> {
  const batch = decoderBatch(input, model.architecture.vocabularySize);
  const captures = new Captures(WRITTEN, { lastTokens: lastTokens(batch) });
  try {
    const result = await model.forward({ ...input, hooks: captures.hooks });
    result.dispose();
    await captures.fetch();
    return captures.found;
  } finally {
    captures.dispose();
  }
}

interface Written {
  readonly captured: ReadonlyMap<string, Captured>;
  /** Whether blocks may write what none of their parts does. */
  readonly isChanged: boolean;
}

function visitComponents(
  { architecture: { decoderLayerCount, headCount, width } }: T5Model,
  { captured, isChanged }: Written,
  visit: (component: ResidualComponent, rows: Float64Array) => void,
): void {
  const rowsAt = (name: string) => Float64Array.from(captured.get(name)!.data);
  const embedded = rowsAt('decoder.0.hook_resid_pre');
  visit({ name: 'decoder.hook_embed', layer: null, head: null }, embedded);
  let before = embedded;
  for (let layer = 0; layer < decoderLayerCount; layer += 1) {
    const sum = before.slice();
    const write = (component: ResidualComponent, rows: Float64Array) => {
      visit(component, rows);
      for (const [at, value] of rows.entries()) sum[at] = sum[at]! + value;
    };
    for (const attention of ['attn', 'cross_attn']) {
      const name = `decoder.${layer}.${attention}`;
      const { data } = captured.get(`${name}.hook_result`)!;
      for (let head = 0; head < headCount; head += 1) {
        const rows = Float64Array.from(before, (_, at) => {
          const [text, feature] = [Math.floor(at / width), at % width];
          return data[(text * headCount + head) * width + feature]!;
        });
        write({ name: `${name}.head.${head}`, layer, head }, rows);
      }
    }
    const mlp = `decoder.${layer}.hook_mlp_out`;
    write({ name: mlp, layer, head: null }, rowsAt(mlp));
    before = rowsAt(`decoder.${layer}.hook_resid_post`);
    if (!isChanged) continue;
    const change = before.map((value, at) => value - sum[at]!);
    visit({ name: `decoder.${layer}.change`, layer, head: null }, change);
  }
}

/** What rows behind the last block are multiplied with, but for the scale, `[B, D]`. */
async function outputDirections(
  { architecture: { width, outputScale }, parts }: T5Model,
  tokens: readonly number[],
  against: readonly number[] | undefined,
): Promise<Float64Array> {
  const { checkpoint, around } = parts;
  const gain = (await around.decoder.norm.gain.data()) as Float32Array;
  const name = ['lm_head.weight', 'shared.weight'].find((one) => checkpoint.weights.has(one))!;
  const rowOf = async (start: number) =>
    floatsOf(await checkpoint.readStored(name, { start, count: 1 }));
  const directions = new Float64Array(tokens.length * width);
  for (const [text, token] of tokens.entries()) {
    const row = await rowOf(token);
    const other = against === undefined ? null : await rowOf(against[text]!);
    for (const [at, value] of row.entries()) {
      const difference = value - (other?.[at] ?? 0);
      directions[text * width + at] = difference * gain[at]! * outputScale;
    }
  }
  return directions;
}
