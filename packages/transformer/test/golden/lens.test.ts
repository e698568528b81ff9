/** The lens at every layer beside a norm and an output in 64 bits, on states of transformers. */
import { join } from 'node:path';
import { selectBackend } from '@lab/tensor';
import { type ArrayRecord, readSafetensors } from '@lab/tensor/io';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadModel, logitLens } from '../../src/index.js';
import { idRows } from './golden-files.js';

const folder = join(import.meta.dirname, 'checkpoints');

/** Names of the weights behind the last block; what is added to gains; cap and epsilon. */
interface End {
  readonly norm: string;
  readonly output: string;
  readonly offset: number;
  readonly cap: number;
  readonly epsilon: number;
}

const ends: Readonly<Record<string, End>> = {
  gpt2: {
    ...{ norm: 'transformer.ln_f', output: 'transformer.wte', offset: 0 },
    ...{ cap: Infinity, epsilon: 0.01 },
  },
  gemma2: {
    ...{ norm: 'model.norm', output: 'model.embed_tokens', offset: 1, cap: 4, epsilon: 0.01 },
  },
  llama3: {
    norm: 'model.norm',
    output: 'model.embed_tokens',
    offset: 0,
    cap: Infinity,
    epsilon: 0.01,
  },
};

/** Log-probabilities of a row that is normalised, unless it is already. */
function readOff(
  row: readonly number[],
  weights: Readonly<Record<string, ArrayRecord>>,
  { end, isNormed }: { readonly end: End; readonly isNormed: boolean },
): number[] {
  const values = (name: string) => Array.from(weights[name]!.data, Number);
  const hasBias = `${end.norm}.bias` in weights;
  const sum = (list: readonly number[]) => list.reduce((total, value) => total + value, 0);
  const mean = hasBias ? sum(row) / row.length : 0;
  const square = sum(row.map((value) => (value - mean) ** 2)) / row.length;
  const gain = values(`${end.norm}.weight`);
  const bias = hasBias ? values(`${end.norm}.bias`) : row.map(() => 0);
  const scale = Math.sqrt(square + end.epsilon);
  const normed = isNormed
    ? row
    : row.map((value, at) => ((value - mean) / scale) * (gain[at]! + end.offset) + bias[at]!);
  const matrix = values(`${end.output}.weight`);
  const logits = Array.from({ length: matrix.length / row.length }, (_, token) => {
    const product = sum(normed.map((value, at) => value * matrix[token * row.length + at]!));
    return Number.isFinite(end.cap) ? end.cap * Math.tanh(product / end.cap) : product;
  });
  const total = Math.log(sum(logits.map(Math.exp)));
  return logits.map((logit) => logit - total);
}

beforeAll(async () => {
  await selectBackend('wasm');
});

describe.each(Object.entries(ends))('the lens of %s', (name, end) => {
  it('reads off every layer what its states give', async () => {
    const weights = (await readSafetensors(join(folder, name, 'model.safetensors'))).tensors;
    const golden = (await readSafetensors(join(folder, name, 'golden.safetensors'))).tensors;
    const model = await loadModel(join(folder, name));
    const { layerCount } = model.architecture;
    const given = { ids: idRows(golden['ids']!), mask: idRows(golden['mask']!) };
    const layers = await logitLens(model, { ...given, top: 3 });
    expect(layers).toHaveLength(layerCount + 1);
    for (const { layer, tokens } of layers) {
      const { shape, data } = golden[`hidden.${layer}`]!;
      const [, length, width] = shape as [number, number, number];
      for (const [text, found] of tokens.entries()) {
        // Texts are filled up on the left: the last row is one of the text.
        const last = (text + 1) * length * width;
        const row = Array.from(data.slice(last - width, last), Number);
        const wanted = readOff(row, weights, { end, isNormed: layer === layerCount });
        const best = [...wanted.keys()].toSorted((a, b) => wanted[b]! - wanted[a]!).slice(0, 3);
        expect(
          found.map(({ id }) => id),
          `${layer}`,
        ).toEqual(best);
        for (const { id, logProbability } of found) {
          expect(Math.abs(logProbability - wanted[id]!), `${layer}`).toBeLessThan(1e-4);
        }
      }
    }
    model.dispose();
  });
});
