import { createRandom } from '@lab/core';
import { describe, expect, it } from 'vitest';
import { tripleDegrees } from '../knowledge-graph.js';
import { type SyntheticPairOptions, syntheticPair } from './synthetic-pair.js';

function make(options: Partial<SyntheticPairOptions> = {}) {
  return syntheticPair({ entities: 2000, random: createRandom(5), ...options });
}

describe('syntheticPair', () => {
  const pair = make();

  it('links every entity of KG1 to another one of KG2', () => {
    const right = new Set(pair.links.filter((_, i) => i % 2 === 1));
    expect(right.size).toBe(2000);
    expect([...right].every((entity) => pair.sides[entity] === 2)).toBe(true);
    const shifted = pair.links.filter((entity, i) => i % 2 === 1 && entity === (i - 1) / 2 + 2000);
    expect(shifted.length).toBeLessThan(20); // KG2 is in random order
  });

  it('deletes a share of the triples in each copy', () => {
    const { leftCount, heads } = pair.triples;
    expect(leftCount / 6000).toBeCloseTo(0.8, 1);
    expect((heads.length - leftCount) / 6000).toBeCloseTo(0.8, 1);
    const whole = make({ deletedShare: 0 });
    expect(whole.triples.heads).toHaveLength(12_000);
  });

  it('keeps triples within their graph and uses relations of one graph only', () => {
    const { heads, tails, relations, leftCount } = pair.triples;
    for (let e = 0; e < heads.length; e += 1) {
      const side = e < leftCount ? 1 : 2;
      expect(pair.sides[heads[e] as number]).toBe(side);
      expect(pair.sides[tails[e] as number]).toBe(side);
      expect((relations[e] as number) < 200).toBe(side === 1);
    }
    expect(pair.relationIds).toHaveLength(200 + 150);
  });

  it('copies the graph: without deletion linked entities have equal degrees', () => {
    const whole = make({ deletedShare: 0 });
    const degrees = tripleDegrees(whole);
    for (let i = 0; i < 4000; i += 2) {
      expect(degrees[whole.links[i] as number]).toBe(degrees[whole.links[i + 1] as number]);
    }
  });

  it('has hubs, frequent relations, and attributes that linked entities share', () => {
    const degrees = tripleDegrees(pair);
    expect(Math.max(...degrees)).toBeGreaterThan(30);
    const counts = new Int32Array(350);
    for (const relation of pair.triples.relations)
      counts[relation] = (counts[relation] as number) + 1;
    expect(Math.max(...counts)).toBeGreaterThan(500);
    const clean = make({ attributeNoise: 0 }).attributes;
    const row = (i: number): string =>
      `${clean?.columns.slice(clean.rowPointers[i], clean.rowPointers[i + 1])}`;
    expect(row(pair.links[0] as number)).toBe(row(pair.links[1] as number));
    expect(make({ attributes: 0 }).attributes).toBeNull();
  });

  it('is the same for the same seed', () => {
    expect(make()).toEqual(pair);
    expect(make({ random: createRandom(6) }).triples).not.toEqual(pair.triples);
  });

  it.each<Partial<SyntheticPairOptions>>([
    { entities: 1 },
    { entities: 2.5 },
    { deletedShare: 1 },
    { relations: 0 },
    { attributeNoise: Number.NaN },
  ])('refuses %j', (options) => {
    expect(() => make(options)).toThrow(new RegExp(Object.keys(options)[0] as string));
  });
});
