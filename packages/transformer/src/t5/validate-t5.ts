/**
 * Checks of a T5 on the backend in use, without any reference.
 */
import { tf } from '@lab/tensor';
import type { Captured } from '../captures.js';
import { encodedTexts, T5Decoding } from '../generation/t5-decoding.js';
import { RowCache } from '../generation/row-cache.js';
import { HookRunner } from '../hooks.js';
import {
  check,
  difference,
  type ModelCheck,
  summed,
  unevenness,
  valueChecks,
} from '../model-check.js';
import { residualPlaces } from './t5-lens.js';
import type { T5Model } from './t5-model.js';
import { normedT5, t5Logits } from './t5-stack.js';

/** Tokens of the encoder; the decoder has one less. */
const LENGTH = 8;
/** What is looked at. */
const INSIDE = /hook_(pattern|resid_\w+|(attn|cross_attn|mlp)_out)$/;

/** What is read. */
interface Input {
  readonly ids: number[][];
  readonly decoderIds: number[][];
}

/**
 * Whether what is inside of a T5 fits together: values are finite and differ, every pattern sums to
 * one, the residuals of both sides grow by what blocks add, hooks change nothing by looking, the
 * lens at the last block gives the logits, padding moves nothing, and a decoder that reads token by
 * token gives the logits of one pass.
 */
export async function validateT5(model: T5Model): Promise<ModelCheck[]> {
  const { vocabularySize, startId } = model.architecture;
  const drawn = (at: number) => (7 * at + 3) % vocabularySize;
  const row = Array.from({ length: LENGTH }, (_, at) => drawn(at));
  const decoderRow = [startId, ...Array.from({ length: LENGTH - 2 }, (_, at) => drawn(at + 20))];
  const input: Input = { ids: [row], decoderIds: [decoderRow] };
  const { logits, captured } = await passOf(model, { ...input, capture: INSIDE });
  const plain = await passOf(model, input);
  const differs = async (found: Promise<Float32Array>) => difference(await found, logits);
  return [
    ...valueChecks('logits', logits, captured),
    ...insideChecks(model, captured),
    check('hooks only look', difference(plain.logits, logits)),
    check('the lens ends in the logits', await differs(lensLogits(model, captured))),
    check('padding moves nothing', await differs(padded(model, input))),
    check('token by token is the whole', await differs(byToken(model, input))),
  ];
}

async function passOf(model: T5Model, input: Parameters<T5Model['forward']>[0]) {
  const result = await model.forward(input);
  const logits = ((await result.logits.data()) as Float32Array).slice();
  result.dispose();
  return { logits, captured: result.captured };
}

type Values = ReadonlyMap<string, Captured>;

function insideChecks({ architecture }: T5Model, captured: Values): ModelCheck[] {
  const { encoderLayerCount, decoderLayerCount } = architecture;
  const patterns = [...captured].filter(([name]) => name.endsWith('.hook_pattern'));
  const worst = (values: readonly number[]) => Math.max(...values);
  const grows = (count: number, side: string, parts: readonly string[]) =>
    Array.from({ length: count }, (_, block) => {
      const at = (name: string) => captured.get(`${side}.${block}.hook_${name}`)!;
      return difference(at('resid_post').data, summed(parts.map(at)));
    });
  const own = ['resid_pre', 'attn_out', 'mlp_out'];
  return [
    check('patterns sum to one', worst(patterns.map(([, one]) => unevenness(one)))),
    check(
      'blocks of the encoder add what they say',
      worst(grows(encoderLayerCount, 'encoder', own)),
    ),
    check(
      'blocks of the decoder add what they say',
      worst(grows(decoderLayerCount, 'decoder', [...own, 'cross_attn_out'])),
    ),
  ];
}

/** Final norm and output on what was seen behind the last block of the decoder. */
async function lensLogits(model: T5Model, captured: Values): Promise<Float32Array> {
  const place = residualPlaces(model.architecture.decoderLayerCount).at(-1)!;
  const { shape, data } = captured.get(place)!;
  const hooks = new HookRunner([]);
  const rows = tf.tidy(() => {
    const x = tf.tensor3d(data, shape as [number, number, number]);
    return normedT5(model, 'decoder', { x, hooks });
  });
  const logits = await t5Logits(model, rows, hooks);
  const values = ((await logits.data()) as Float32Array).slice();
  logits.dispose();
  return values;
}

/** Logits of the first text with padding behind it in the encoder and before it in the decoder. */
async function padded(model: T5Model, { ids, decoderIds }: Input): Promise<Float32Array> {
  const [row, decoderRow] = [ids[0]!, decoderIds[0]!];
  const ones = (own: readonly number[]) => own.map(() => 1);
  const { logits } = await passOf(model, {
    ids: [[...row, 0, 0]],
    mask: [[...ones(row), 0, 0]],
    decoderIds: [[0, 0, ...decoderRow]],
    decoderMask: [[0, 0, ...ones(decoderRow)]],
  });
  return logits.slice(2 * model.architecture.vocabularySize);
}

/** Logits of a decoder that keeps keys and values. */
async function byToken(model: T5Model, { ids, decoderIds }: Input): Promise<Float32Array> {
  const { vocabularySize } = model.architecture;
  const row = decoderIds[0]!;
  const logits = new Float32Array(row.length * vocabularySize);
  const decoding = new T5Decoding(model, await encodedTexts(model, ids));
  const cache = new RowCache();
  try {
    for (const [at, id] of row.entries()) {
      const [own] = await decoding.step([{ text: 0, ids: [id], cache }]);
      logits.set(own!, at * vocabularySize);
    }
    return logits;
  } finally {
    cache.clear();
    decoding.dispose();
  }
}
