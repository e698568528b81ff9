/** Positions that the caller gives. */
import '@lab/core/testing';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { selectBackend, tf } from '@lab/tensor';
import { beforeAll, describe, expect, it } from 'vitest';
import { type ForwardInput, loadModel, type Model } from '../../src/index.js';

const folder = join(import.meta.dirname, 'checkpoints');

interface Case {
  readonly mask: number[][];
  readonly positions: number[][];
  /** Of the last tokens, row by row. */
  readonly logits: number[];
}

/** What transformers gives, by make_positions.py. */
const golden = JSON.parse(
  readFileSync(join(import.meta.dirname, 'positions.json'), 'utf8'),
) as Record<string, { ids: number[][]; cases: Record<string, Case> }>;

beforeAll(async () => {
  await selectBackend('wasm');
});

/** Logits of all tokens, a list a text. */
async function logitsOf(model: Model, input: ForwardInput): Promise<number[][]> {
  const result = await model.forward(input);
  const rows = (await tf.reshape(result.logits!, [input.ids.length, -1]).array()) as number[][];
  result.dispose();
  return rows;
}

describe.each(Object.entries(golden))('%s', (name, { ids, cases }) => {
  it('is as transformers with position_ids', async () => {
    const model = await loadModel(join(folder, name));
    const plain = await logitsOf(model, { ids });
    for (const [key, { mask, positions, logits }] of Object.entries(cases)) {
      const own = positions.map((row) => Int32Array.from(row));
      const found = await logitsOf(model, { ids, mask, positions: own });
      const count = logits.length / ids.length;
      const ends = found.flatMap((row) => row.slice(-count));
      expect(ends, key).toBeClose(logits, { atol: 1e-4 });
      expect(ends).not.toEqual(plain.flatMap((row) => row.slice(-count)));
    }
    model.dispose();
  });
});

const decoders = readdirSync(folder).filter((name) => !name.startsWith('t5'));

it.each(decoders)('%s: positions that are counted change nothing', async (name) => {
  const model = await loadModel(join(folder, name), { validate: 'off' });
  const ids = [
    [0, 0, 5, 9, 3, 44, 12],
    [7, 2, 61, 8, 30, 11, 4],
  ];
  const mask = [
    [0, 0, 1, 1, 1, 1, 1],
    [1, 1, 1, 1, 1, 1, 1],
  ];
  const counted = [
    [0, 0, 0, 1, 2, 3, 4],
    [0, 1, 2, 3, 4, 5, 6],
  ];
  const plain = await logitsOf(model, { ids, mask, logits: 'last' });
  for (const residualPositions of ['all', 'last'] as const) {
    const given = { ids, mask, positions: counted, logits: 'last', residualPositions } as const;
    const found = await logitsOf(model, given);
    expect(found.flat()).toBeClose(plain.flat(), { atol: 2e-5, rtol: 1e-5 });
  }
  const turned = { ids, mask, positions: counted.map((row) => row.toReversed()) };
  expect(await logitsOf(model, { ...turned, logits: 'last' })).not.toEqual(plain);
  model.dispose();
});

it.each<[string, unknown, RegExp]>([
  ['a row too few', [[0, 1]], /positions must be 2 rows of 2, got 1 of 2/],
  [
    'a position before the text',
    [
      [0, 1],
      [0, -1],
    ],
    /positions of text 1, token 1 is -1/,
  ],
  [
    'half a position',
    [
      [0, 0.5],
      [0, 1],
    ],
    /positions of text 0, token 1 is 0\.5/,
  ],
  ['what is no list', 3, /positions is 3 and must be a list of lists/],
])('%s is refused', async (_, positions, message) => {
  const model = await loadModel(join(folder, 'llama'), { validate: 'off' });
  const ids = [
    [1, 2],
    [3, 4],
  ];
  const input = { ids, positions } as ForwardInput;
  await expect(model.forward(input)).rejects.toThrow(message);
  model.dispose();
});

it('places that are not learned are refused', async () => {
  const model = await loadModel(join(folder, 'gpt2'), { validate: 'off' });
  const { positions } = model.architecture;
  const count = positions.kind === 'learned' ? positions.count : 0;
  const input = { ids: [[1, 2]], positions: [[0, count]] };
  await expect(model.forward(input)).rejects.toThrow(
    `positions go to ${count}, this model has ${count} places`,
  );
  const last = await model.forward({ ids: [[1, 2]], positions: [[0, count - 1]] });
  last.dispose();
  model.dispose();
});
