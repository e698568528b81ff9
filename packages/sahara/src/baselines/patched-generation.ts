/**
 * Responses of a model some of whose neurons hold what another model's hold, token by token.
 */
import type { Logger } from '@lab/core';
import { tf } from '@lab/tensor';
import {
  type Captured,
  createGenerationEngine,
  type Hook,
  type Model,
  type PromptFormatOptions,
  type PromptRecord,
  type Tokenizer,
} from '@lab/transformer';
import { encodedPrompts, type Response } from '../generation.js';
import { assertAlike, type NeuronId, neuronPlace } from './contrast-neurons.js';

/** How responses are made. */
export interface PatchedResponseOptions extends PromptFormatOptions {
  /** The model whose activations are put in. */
  readonly donor: Model;
  readonly neurons: readonly NeuronId[];
  /** Default 128. */
  readonly maxNewTokens?: number | undefined;
  /** Told how many prompts were cut. */
  readonly logger?: Logger | undefined;
  /** Whether a response is there already. */
  readonly isDone?: ((id: string) => boolean) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Greedy responses under dynamic patching: before each token the donor reads the text so far, and
 * its activations of the chosen neurons take the place of the model's own.
 *
 * Source: Chen et al., Finding Safety Neurons in Large Language Models (dynamic activation
 * patching). Both models read the whole text at each token, as there: cost grows with the square
 * of the length.
 *
 * @throws {ModelError} for models of different sizes.
 * @throws {DataError} for a prompt with more tokens than the model has places, unless it may be
 *   cut, as `generateResponses` does.
 */
export async function* patchedResponses(
  { model, tokenizer }: { readonly model: Model; readonly tokenizer: Tokenizer },
  records: readonly PromptRecord[],
  options: PatchedResponseOptions,
): AsyncGenerator<Response> {
  const { donor, neurons, maxNewTokens = 128, isDone, signal, ...format } = options;
  assertAlike(model, donor);
  const engine = createGenerationEngine(model, { tokenizer, maxRows: 1 });
  const { stopIds, contextTokens } = engine;
  await engine.dispose();
  const byLayer = grouped(neurons);
  const written = { ...format, maxNewTokens, places: contextTokens };
  const prompts = encodedPrompts(tokenizer, records, written);
  for (const [at, record] of records.entries()) {
    if (isDone?.(record.id) === true) continue;
    const prompt = prompts[at]!;
    const ids = [...prompt];
    const most = Math.min(maxNewTokens, (contextTokens ?? Infinity) - prompt.length);
    let isStopped = false;
    while (ids.length - prompt.length < most && !isStopped) {
      signal?.throwIfAborted();
      const next = await nextToken(model, donor, { ids, byLayer });
      isStopped = stopIds.includes(next);
      ids.push(next);
    }
    const textOf = (own: readonly number[]) => tokenizer.decode(own, { skipSpecialTokens: true });
    // Behind the prompt, so that spaces are those that stand there.
    const text = textOf(isStopped ? ids.slice(0, -1) : ids).slice(textOf(prompt).length);
    const newTokens = ids.length - prompt.length;
    yield {
      ...{ record, sample: 0, text, newTokens },
      finishReason: isStopped ? 'stop' : 'length',
    };
  }
}

type NeuronsByLayer = ReadonlyMap<number, readonly number[]>;

function grouped(neurons: readonly NeuronId[]): NeuronsByLayer {
  const byLayer = new Map<number, number[]>();
  for (const { layer, neuron } of neurons) {
    const own = byLayer.get(layer);
    if (own === undefined) byLayer.set(layer, [neuron]);
    else own.push(neuron);
  }
  return byLayer;
}

async function nextToken(
  model: Model,
  donor: Model,
  { ids, byLayer }: { readonly ids: readonly number[]; readonly byLayer: NeuronsByLayer },
): Promise<number> {
  const places = new Set([...byLayer.keys()].map(neuronPlace));
  const given = await donor.forward({
    ...{ ids: [ids], logits: 'none', capture: (name: string) => places.has(name) },
  });
  given.dispose();
  const hooks = [...byLayer].map(([layer, neurons]) =>
    neuronHook(layer, neurons, given.captured.get(neuronPlace(layer))!),
  );
  const result = await model.forward({ ids: [ids], logits: 'last', hooks });
  const best = tf.tidy(() => tf.argMax(tf.reshape(result.logits!, [-1])));
  const [token] = await best.data();
  best.dispose();
  result.dispose();
  return token!;
}

/** Puts the donor's activations in the place of some neurons, at all tokens. */
function neuronHook(layer: number, neurons: readonly number[], donor: Captured): Hook {
  return {
    names: neuronPlace(layer),
    run: (value) => {
      const width = value.shape.at(-1)!;
      const chosen = new Float32Array(width);
      for (const neuron of neurons) chosen[neuron] = 1;
      const mask = tf.tensor1d(chosen);
      const other = tf.tensor(donor.data, value.shape);
      return tf.add(tf.mul(value, tf.sub(1, mask)), tf.mul(other, mask));
    },
  };
}
