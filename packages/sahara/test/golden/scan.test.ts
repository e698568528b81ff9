import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { selectBackend } from '@lab/tensor';
import { loadModel } from '@lab/transformer';
import { beforeAll, describe, expect, it } from 'vitest';
import { headKey, rankHeads } from '../../src/head.js';
import { principalAngles, safetySubspace } from '../../src/subspace.js';
import { ships } from '../../src/index.js';
import '@lab/core/testing';

const read = <T>(name: string) =>
  JSON.parse(readFileSync(join(import.meta.dirname, name), 'utf8')) as T;

interface Scan {
  readonly ids: number[];
  readonly uniform: number[][];
  readonly zero: number[][];
}

const scans = read<Record<string, Scan[]>>('scan.json');

beforeAll(async () => {
  await selectBackend('wasm');
});

describe.each(Object.entries(scans))('scores of %s are those of a loop in PyTorch', (name, all) => {
  it.each(['uniform', 'zero'] as const)('%s', async (kind) => {
    const model = await loadModel(join(import.meta.dirname, 'checkpoints', name));
    for (const scan of all) {
      const wanted = rankHeads(scan[kind]);
      expect(wanted[Math.floor(wanted.length / 2)]!.score).toBeGreaterThan(1e-3);
      const { scores } = await ships(model, scan.ids, { ablation: { kind } });
      for (const { layer, head, score } of wanted) {
        const tolerance = score > 1e-3 ? { rtol: 1e-3 } : { atol: 1e-6 };
        expect(scores[layer]![head], headKey({ layer, head })).toBeClose(score, tolerance);
      }
      const top = (rows: readonly (readonly (number | null)[])[]) =>
        rankHeads(rows, 20).map(headKey);
      expect(top(scores)).toEqual(top(scan[kind]));
    }
    model.dispose();
  });
});

interface Angles {
  readonly rows: number;
  readonly width: number;
  readonly side: 'left' | 'right';
  readonly center: boolean;
  readonly rank: number;
  readonly first: number[];
  readonly second: number[];
  readonly values: number[];
  readonly degrees: number[];
}

describe('subspaces of states are those of NumPy', () => {
  it.each(read<Angles[]>('angles.json').map((one) => [`${one.rows} x ${one.width}`, one] as const))(
    '%s',
    (_, { rows: rowCount, width, first, second, values, degrees, ...options }) => {
      const of = (states: readonly number[]) =>
        safetySubspace({ rowCount, width, data: Float32Array.from(states) }, options);
      const [one, other] = [of(first), of(second)];
      const known = one.values.subarray(0, Math.min(values.length, rowCount));
      // Centring takes one direction away: what is left of it is rounding.
      expect(known).toBeClose(values, { atol: 1e-7 * values[0]!, rtol: 1e-9 });
      const angles = principalAngles(one.basis, other.basis).map(
        (angle) => (angle * 180) / Math.PI,
      );
      expect(angles).toBeClose(degrees, { atol: 1e-9, rtol: 1e-7 });
    },
  );
});
