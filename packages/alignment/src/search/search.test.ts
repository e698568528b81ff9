import '@lab/core/testing';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRandom } from '@lab/core';
import { normalizeRowsInPlace } from '@lab/graph';
import { HostRows, nearestPairs, selectBackend, tf } from '@lab/tensor';
import { expectNoLeak } from '@lab/tensor/testing';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { approximateNearest } from './approximate-nearest.js';
import { createCandidateStore } from './candidate-store.js';
import { nearestExactly } from './nearest-exactly.js';
import { rankCounterparts, searchBothWays, searchMutual, type SearchOptions } from './search.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

const folders: string[] = [];
const freshFolder = () => {
  folders.push(mkdtempSync(join(tmpdir(), 'search-')));
  return join(folders.at(-1)!, 'store');
};
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** Left rows in clusters, right rows near to them in another order. */
function pairOfSides(count: number, width: number) {
  const random = createRandom(`sides/${count}/${width}`);
  const centres = random.fillNormal(new Float32Array(20 * width));
  const left = random.fillNormal(new Float32Array(count * width));
  left.forEach((value, at) => {
    const centre = (Math.floor(at / width) * 7) % 20;
    left[at] = 0.7 * value + centres[centre * width + (at % width)]!;
  });
  const order = random.permutation(count);
  const right = random.fillNormal(new Float32Array(count * width));
  order.forEach((column, row) => {
    for (let d = 0; d < width; d += 1) {
      right[column * width + d] = 0.3 * right[column * width + d]! + left[row * width + d]!;
    }
  });
  return {
    left: new HostRows(count, width, normalizeRowsInPlace(left, width)),
    right: new HostRows(count, width, normalizeRowsInPlace(right, width)),
    gold: Int32Array.from(order),
    dispose: () => {},
  };
}

const options = (search: SearchOptions['search']): SearchOptions => ({
  ...{ search, cslsNeighbours: 3, random: createRandom('search-test') },
});

describe('approximateNearest', () => {
  it('finds 95 % of the ten nearest and more, by exact cosines', async () => {
    const { left, right } = pairOfSides(3000, 160);
    const { forward } = await approximateNearest({ left, right }, { random: createRandom(1) });
    const exact = await nearestPairs({ left, right, k: 10 });
    let found = 0;
    for (let row = 0; row < 3000; row += 1) {
      const own = new Set(forward.indices.subarray(row * 32, row * 32 + 32));
      for (let rank = 0; rank < 10; rank += 1) {
        if (own.has(exact.indices[row * 10 + rank]!)) found += 1;
      }
      expect(forward.cosines[row * 32]!).toBeGreaterThanOrEqual(forward.cosines[row * 32 + 31]!);
    }
    expect(found / 30_000).toBeGreaterThan(0.95);
    for (const row of [0, 17, 2999]) {
      if (forward.indices[row * 32] !== exact.indices[row * 10]) continue;
      expect(forward.cosines[row * 32]).toBeCloseTo(exact.scores[row * 10]!, 5);
    }
  });

  it('finds the same twice, and leaks nothing', async () => {
    const sides = pairOfSides(400, 150);
    const again = () => approximateNearest(sides, { random: createRandom(1) });
    expect(await again()).toEqual(await again());
    await expectNoLeak(again);
  });

  it('takes few rows and narrow ones as they are', async () => {
    const { left, right } = pairOfSides(7, 5);
    const { forward } = await approximateNearest({ left, right }, { random: createRandom(1) });
    const all = Int32Array.from({ length: 49 }, (_, at) => at % 7);
    expect(forward).toEqual(await nearestExactly(left, right, all));
  });

  it('goes on where it was stopped, with the same result', async () => {
    const sides = pairOfSides(500, 140);
    const folder = freshFolder();
    const stopped = new AbortController();
    const run = (signal?: AbortSignal, onProgress?: SearchOptions['onProgress']) => {
      const store = createCandidateStore(folder, { run: 1 });
      const random = createRandom(1);
      return approximateNearest(sides, { random, batchRows: 100, store, signal, onProgress });
    };
    await expect(
      run(stopped.signal, ({ done }) => {
        if (done === 700) stopped.abort(new Error('stop'));
      }),
    ).rejects.toThrow('stop');
    const names = () => readdirSync(folder).filter((name) => name.endsWith('.safetensors'));
    expect(names().length).toBe(7); // five forward, two backward
    const resumed = await run();
    expect(names().length).toBe(10);
    const whole = { random: createRandom(1), batchRows: 100 };
    expect(resumed).toEqual(await approximateNearest(sides, whole));
  });
});

describe('a search among many rows', () => {
  it('can be stopped within a batch', async () => {
    const { left, right } = pairOfSides(3000, 8);
    let [looks, done] = [0, 0];
    const signal = {
      throwIfAborted: () => {
        looks += 1;
        if (looks === 5) throw new Error('enough'); // three parts are added, two are searched
      },
    } as AbortSignal;
    const onProgress = (progress: { readonly done: number }) => {
      done = progress.done;
    };
    const options = { random: createRandom(1), signal, onProgress };
    await expect(approximateNearest({ left, right }, options)).rejects.toThrow('enough');
    expect(done).toBe(0);
  });
});

describe('createCandidateStore', () => {
  it('keeps rows and candidates of its key, and drops those of another', async () => {
    const folder = freshFolder();
    const store = createCandidateStore(folder, { epoch: 1 });
    const { left, right } = pairOfSides(6, 4);
    expect(await store.rows({ left: 6, right: 6 })).toBeUndefined();
    await store.writeRows({ left, right });
    const found = await nearestExactly(
      left,
      right,
      Int32Array.from({ length: 12 }, (_, at) => at % 6),
    );
    await store.write('forward', 0, found);
    const again = createCandidateStore(folder, { epoch: 1 });
    const rows = await again.rows({ left: 6, right: 6 });
    expect(rows?.left.values).toEqual(left.values);
    expect(await again.rows({ left: 6, right: 7 })).toBeUndefined();
    expect(await again.read('forward', 0, { count: 6, width: 2 })).toEqual(found);
    expect(await again.read('forward', 0, { count: 5, width: 2 })).toBeUndefined();
    expect(await again.read('backward', 0, { count: 6, width: 2 })).toBeUndefined();
    writeFileSync(join(folder, 'notes.txt'), 'mine');
    const other = createCandidateStore(folder, { epoch: 2 });
    expect(readdirSync(folder).toSorted()).toEqual(['notes.txt', 'search.json']);
    expect(await other.rows({ left: 6, right: 6 })).toBeUndefined();
    expect(await other.read('forward', 0, { count: 6, width: 2 })).toBeUndefined();
  });

  it('says which file is damaged', async () => {
    const folder = freshFolder();
    const store = createCandidateStore(folder, 1);
    writeFileSync(join(folder, 'forward-0000.safetensors'), 'no');
    await expect(store.read('forward', 0, { count: 1, width: 1 })).rejects.toThrow(
      'forward-0000.safetensors',
    );
  });
});

describe('searchBothWays, rankCounterparts and searchMutual', () => {
  it('agree with the comparison of all pairs where all pairs are candidates', async () => {
    const sides = pairOfSides(40, 6);
    const counts = { forward: 5, backward: 2 };
    for (const cslsNeighbours of [0, 3]) {
      const how = (search: 'exact' | 'approximate') => ({ ...options(search), cslsNeighbours });
      const exact = await searchBothWays(sides, counts, how('exact'));
      const found = await searchBothWays(sides, counts, how('approximate'));
      for (const way of ['forward', 'backward'] as const) {
        expect(found[way].indices).toEqual(exact[way].indices);
        expect(found[way].scores).toBeClose(exact[way].scores, { atol: 1e-6, rtol: 1e-6 });
      }
      const gold = sides.gold.map((column, row) => (row % 9 === 4 ? -1 : column));
      const ranks = await rankCounterparts(sides, gold, how('exact'));
      const among = await rankCounterparts(sides, gold, how('approximate'));
      expect(among.forwardRanks).toEqual(ranks.forwardRanks);
      expect(among.backwardRanks).toEqual(ranks.backwardRanks);
      expect(ranks.remarks).toEqual([]);
      expect(among.remarks.join()).toContain('0 counterparts of the first graph and 0 of the');
    }
    expect(await searchMutual(sides, options('approximate'))).toEqual(
      await searchMutual(sides, options('exact')),
    );
  });

  it('rank what the index did not find last of all', async () => {
    const sides = pairOfSides(300, 8);
    const far = sides.gold.map((column) => (column + 150) % 300);
    const { forwardRanks, remarks } = await rankCounterparts(sides, far, options('approximate'));
    const missed = forwardRanks.filter((rank) => rank === 300).length;
    expect(missed).toBeGreaterThan(100);
    expect(remarks.join()).toContain(`${missed} counterparts of the first graph`);
    expect(remarks.join()).toContain('approximate');
  });

  it('search for draws as for their mean', async () => {
    const [one, other] = [pairOfSides(30, 5), pairOfSides(30, 6)];
    const draw = ({ left }: { left: HostRows }, part: 'left' | 'right', from: HostRows) =>
      tf.tensor2d(part === 'left' ? left.values : from.values, [30, from.columnCount]);
    const padded = (rows: HostRows) => {
      const x = tf.tensor2d(rows.values, [30, rows.columnCount]);
      return tf.pad2d(x, [
        [0, 0],
        [0, 6 - rows.columnCount],
      ]);
    };
    const rows = {
      left: [padded(one.left), draw(other, 'left', other.left)],
      right: [padded(one.right), draw(other, 'right', other.right)],
      dispose: () => {},
    };
    const counts = { forward: 3, backward: 3 };
    const exact = await searchBothWays(rows, counts, options('exact'));
    const found = await searchBothWays(rows, counts, options('approximate'));
    expect(found.forward.indices).toEqual(exact.forward.indices);
    expect(found.forward.scores).toBeClose(exact.forward.scores, { atol: 1e-6, rtol: 1e-6 });
    tf.dispose([...rows.left, ...rows.right]);
  });

  it('takes all pairs by itself where they are few', async () => {
    const sides = pairOfSides(20, 4);
    const { remarks } = await rankCounterparts(sides, sides.gold, options('auto'));
    expect(remarks).toEqual([]);
  });
});
