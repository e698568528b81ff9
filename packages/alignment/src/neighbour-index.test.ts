import { describe, expect, it } from 'vitest';
import { createNeighbourIndex } from './neighbour-index.js';

describe('createNeighbourIndex', () => {
  const index = createNeighbourIndex({
    entityCount: 4,
    triples: {
      heads: Int32Array.of(0, 1, 0, 0, 2),
      relations: Int32Array.of(0, 1, 0, 1, 0),
      tails: Int32Array.of(1, 0, 1, 0, 0),
      leftCount: 5,
    },
    relationNames: ['near', 'in'],
  });

  it('has each relation once, inverse ones marked, without the entity itself', () => {
    expect([...index.linksOf(0)]).toEqual([
      [
        1,
        [
          { relation: 'near', isInverse: false },
          { relation: 'in', isInverse: true },
        ],
      ],
      [2, [{ relation: 'near', isInverse: true }]],
    ]);
    expect(index.linksOf(3).size).toBe(0);
  });

  it('counts triple ends', () => {
    expect([0, 1, 2, 3].map((entity) => index.degreeOf(entity))).toEqual([6, 3, 1, 0]);
  });
});
