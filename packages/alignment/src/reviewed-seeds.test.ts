import { describe, expect, it } from 'vitest';
import { allRefused, reviewedSeeds } from './reviewed-seeds.js';

const split = { seeds: Int32Array.of(0, 6), validation: Int32Array.of(1, 7) };

describe('reviewedSeeds and allRefused', () => {
  const decisions = {
    confirmed: Int32Array.of(2, 8, 1, 7),
    refused: Int32Array.of(0, 6, 3, 9),
    undecided: 0,
  };

  it('are the given pairs and the confirmed, each once, without the refused', () => {
    expect([...reviewedSeeds(split, decisions)]).toEqual([1, 7, 2, 8]);
  });

  it('keep what was refused before unless it is confirmed now', () => {
    const before = Int32Array.of(5, 11, 2, 8, 3, 9);
    expect([...allRefused(before, decisions)]).toEqual([5, 11, 3, 9, 0, 6]);
  });
});
