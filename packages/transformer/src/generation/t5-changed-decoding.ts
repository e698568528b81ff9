/**
 * The decoder of a T5 whose passes are changed.
 */
import { tf } from '@lab/tensor';
import { type Hook, HookRunner } from '../hooks.js';
import type { Intervention } from '../interventions.js';
import { t5InterventionHook } from '../t5/t5-interventions.js';
import type { T5Model } from '../t5/t5-model.js';
import { t5Logits } from '../t5/t5-stack.js';
import { tokenBatch } from '../token-batch.js';
import { capturedOf } from '../captures.js';
import { type DecoderRow, encodedTexts, T5Decoding, type T5Steps } from './t5-decoding.js';

/**
 * Begins to decode texts, under changes: those of the encoder are made in its one pass, which is
 * step 0; where there are any of the decoder, each step is a pass over all its tokens so far.
 *
 * @throws {ConfigError} for changes that do not fit.
 */
export async function beginT5Decoding(
  model: T5Model,
  texts: readonly (readonly number[])[],
  interventions: readonly Intervention[],
): Promise<T5Steps> {
  const hooks = interventions.map((one) => t5InterventionHook(one, model.architecture));
  const isOfEncoder = ({ names }: Hook) => (names as string).startsWith('encoder.');
  const ofEncoder = hooks.filter(isOfEncoder);
  const ofDecoder = hooks.filter((hook) => !isOfEncoder(hook));
  const encoded =
    ofEncoder.length === 0
      ? await encodedTexts(model, texts)
      : await encodedApart(model, texts, ofEncoder);
  return ofDecoder.length === 0
    ? new T5Decoding(model, encoded)
    : new ChangedT5Decoding(model, { texts, encoded, hooks: ofDecoder });
}

/** Text by text: changes are to see no padding. */
async function encodedApart(
  model: T5Model,
  texts: readonly (readonly number[])[],
  hooks: readonly Hook[],
): Promise<tf.Tensor3D[]> {
  const encoded: tf.Tensor3D[] = [];
  try {
    for (const text of texts) {
      const batch = tokenBatch({ ids: [text] }, model.architecture.vocabularySize);
      encoded.push(await model.encode(batch, new HookRunner(hooks, { step: 0 })));
    }
    return encoded;
  } catch (error) {
    tf.dispose(encoded);
    throw error;
  }
}

interface Parts {
  readonly texts: readonly (readonly number[])[];
  readonly encoded: readonly tf.Tensor3D[];
  readonly hooks: readonly Hook[];
}

/** Passes over all tokens of the decoder so far, those of one text's rows together. */
class ChangedT5Decoding implements T5Steps {
  constructor(
    private readonly model: T5Model,
    private readonly parts: Parts,
  ) {}

  async step(rows: readonly DecoderRow[]): Promise<Float32Array[]> {
    const logits: Float32Array[] = [];
    for (let from = 0; from < rows.length; ) {
      const { text } = rows[from]!;
      const own = rows.slice(from).filter((row) => row.text === text);
      logits.push(...(await this.stepOf(text, own)));
      from += own.length;
    }
    return logits;
  }

  private async stepOf(text: number, rows: readonly DecoderRow[]): Promise<Float32Array[]> {
    const { model } = this;
    const { texts, encoded, hooks } = this.parts;
    const { vocabularySize, width } = model.architecture;
    const { length } = rows[0]!.ids;
    const step = length - 1;
    const batch = tokenBatch({ ids: rows.map(({ ids }) => ids) }, vocabularySize);
    const read = tokenBatch({ ids: rows.map(() => texts[text]!) }, vocabularySize);
    const tiled = tf.tile(encoded[text]!, [rows.length, 1, 1]);
    const runner = new HookRunner(hooks, { step, start: 0 });
    const decoded = await model
      .decode(batch, runner, { rows: tiled, batch: read })
      .finally(() => tiled.dispose());
    const last = tf.slice3d(decoded, [0, step, 0], [rows.length, 1, width]);
    decoded.dispose();
    const atLast = new HookRunner(hooks, { step, start: step });
    const logits = await t5Logits(model, last, atLast);
    const { data } = await capturedOf(logits);
    logits.dispose();
    return rows.map((_, at) => data.subarray(at * vocabularySize, (at + 1) * vocabularySize));
  }

  dispose(): void {
    tf.dispose([...this.parts.encoded]);
  }
}
