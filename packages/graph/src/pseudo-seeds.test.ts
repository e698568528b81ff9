import { selectBackend, tf } from '@lab/tensor';
import { beforeAll, describe, expect, it } from 'vitest';
import { createPseudoSeeds, searchMutualPairs } from './pseudo-seeds.js';

const data = {
  left: Int32Array.of(0, 1, 2, 3),
  right: Int32Array.of(4, 5, 6, 7),
  entityCount: 8,
};
const seeds = Int32Array.of(0, 4);
const both = Int32Array.of(1, 5, 2, 6);
const first = Int32Array.of(1, 5);

function create(removal = false) {
  return createPseudoSeeds({ data, seeds, removal });
}

describe('createPseudoSeeds', () => {
  it('is due every five epochs from epoch 20 on', () => {
    const due = Array.from({ length: 60 }, (_, epoch) => epoch).filter(create().isDue);
    expect(due).toEqual([24, 29, 34, 39, 44, 49, 54, 59]);
  });

  it('has no candidates before the first replacing epoch', () => {
    const pseudo = create();
    for (const epoch of [24, 29, 34, 39, 44]) pseudo.step(epoch, both);
    expect(pseudo.step(49, both).added).toHaveLength(0);
    expect(pseudo.step(54, both).candidates).toBe(2);
  });

  it('replaces, intersects and accepts', () => {
    const pseudo = create();
    expect(pseudo.step(54, both).candidates).toBe(2);
    expect(pseudo.step(59, first).candidates).toBe(1);
    expect(pseudo.step(64, both).candidates).toBe(1); // a pair that was lost does not come back
    expect(pseudo.seeds()).toEqual(seeds);
    const accepted = pseudo.step(99, both);
    expect([...accepted.added]).toEqual([1, 5]);
    expect([...pseudo.seeds()]).toEqual([0, 4, 1, 5]);
    expect(pseudo.open()).toEqual({ left: Int32Array.of(2, 3), right: Int32Array.of(6, 7) });
    expect(pseudo.step(104, Int32Array.of(3, 6)).candidates).toBe(1);
  });

  it('never gives up pairs by default', () => {
    const pseudo = create();
    pseudo.step(54, first);
    pseudo.step(99, first);
    pseudo.step(149, new Int32Array(0));
    expect([...pseudo.accepted()]).toEqual([1, 5]);
  });

  it('gives up pairs that are no longer mutual when asked to', () => {
    const pseudo = create(true);
    pseudo.step(54, first);
    pseudo.step(99, first);
    expect([...pseudo.open().left]).toEqual([1, 2, 3]);
    pseudo.step(104, Int32Array.of(1, 5, 2, 6));
    const kept = pseudo.step(149, Int32Array.of(1, 5, 2, 6));
    expect([...kept.added]).toEqual([2, 6]);
    expect(kept.removed).toHaveLength(0);
    const lost = pseudo.step(199, Int32Array.of(2, 6));
    expect([...lost.removed]).toEqual([1, 5]);
    expect([...pseudo.accepted()]).toEqual([2, 6]);
  });

  it('goes on from its state as if nothing had happened', () => {
    const straight = create();
    straight.step(54, both);
    const resumed = create();
    resumed.restore(JSON.parse(JSON.stringify(straight.state())));
    for (const pseudo of [straight, resumed]) {
      pseudo.step(59, first);
      pseudo.step(99, first);
    }
    expect(resumed.state()).toEqual(straight.state());
    expect([...resumed.accepted()]).toEqual([1, 5]);
  });

  it('refuses a state of other data and a period of 0', () => {
    expect(() => create().restore({ candidates: [], accepted: [1, 99] })).toThrow(/do not fit/);
    expect(() => create().restore({ candidates: [1], accepted: [] })).toThrow(/do not fit/);
    expect(() => createPseudoSeeds({ data, seeds, acceptEvery: 0 })).toThrow(/acceptEvery is 0/);
  });
});

describe('searchMutualPairs', () => {
  beforeAll(async () => {
    await selectBackend('cpu');
  });

  it('finds pairs of open entities that choose each other, whatever their length', async () => {
    const embeddings = tf.tensor2d([
      [9, 0],
      [0, 5],
      [1, 1],
      [1, 0.9],
      [1, 0],
      [0.1, 2],
      [3, 3.1],
      [-1, 0],
    ]);
    const before = tf.memory().numTensors;
    const pairs = await searchMutualPairs(embeddings, {
      left: Int32Array.of(1, 2, 3),
      right: Int32Array.of(5, 6, 7),
    });
    expect([...pairs]).toEqual([1, 5, 2, 6]);
    expect(tf.memory().numTensors).toBe(before);
    const none = await searchMutualPairs([embeddings], {
      left: Int32Array.of(1),
      right: new Int32Array(0),
    });
    expect(none).toHaveLength(0);
    embeddings.dispose();
  });
});
