import { type Modality, modalities } from '@lab/alignment';
import { resolveConfig } from '@lab/core';
import { describe, expect, it } from 'vitest';
import { ibmeaConfig } from '../config.js';
import { ablationGroups } from './groups.js';

/** The groups for data with these modalities and a share of seeds. */
const groupsOf = (present: readonly Modality[], seedShare = 0.3) =>
  ablationGroups({ present, seedShare });

const withoutImages: Modality[] = ['attribute', 'relation', 'graph'];
const cellsOf = (present: readonly Modality[]) => groupsOf(present).flatMap(({ cells }) => cells);

describe.each([
  ['all modalities', [...modalities]],
  ['no images', withoutImages],
  ['relations and graph, the least that data have', ['relation', 'graph'] as Modality[]],
])('ablation groups for %s', (_, present) => {
  it('have cells with unique ids that start with the group', () => {
    const ids = cellsOf(present).map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { name, cells } of groupsOf(present)) {
      expect(cells.length).toBeGreaterThan(0);
      for (const { id, label } of cells) {
        expect(id.startsWith(`${name}/`)).toBe(true);
        expect(label).not.toBe('');
      }
    }
  });

  it('set only settings that exist', () => {
    for (const { id, set } of cellsOf(present)) {
      const { mode, ...flags } = set;
      const options = { flags, ...(mode === undefined ? {} : { mode: String(mode) }) };
      expect(() => resolveConfig(ibmeaConfig, options), id).not.toThrow();
    }
  });

  it('sweeps have a place on the axis and a curve for every cell', () => {
    for (const { axis, cells } of groupsOf(present)) {
      for (const { x, series, id } of cells) {
        expect(x !== undefined, id).toBe(axis !== undefined);
        if (axis !== undefined) expect(series, id).toBeDefined();
        if (axis?.isLog) expect(x, id).toBeGreaterThan(0);
      }
    }
  });
});

describe('the ablations of the method', () => {
  const groups = new Map(groupsOf([...modalities]).map((group) => [group.name, group]));
  const idsOf = (name: string) => groups.get(name)!.cells.map(({ id }) => id);

  it('cover what the method is made of and where it may fail', () => {
    expect([...groups.keys()]).toEqual(
      expect.arrayContaining([
        'main',
        'regularisers',
        'hybrid',
        'modalities',
        'beta',
        'temperature',
        'hybrid-weight',
        'multi-similarity',
        'low-resource',
        'noise',
        'images-kept',
        'images-swapped',
        'images-blurred',
        'noise-modality',
        'fusion',
        'projection',
        'scale',
      ]),
    );
    expect(idsOf('main')).toHaveLength(4);
    for (const modality of modalities) {
      expect(idsOf('regularisers')).toContain(`regularisers/without-${modality}`);
      expect(idsOf('modalities')).toContain(`modalities/without-${modality}`);
      expect(idsOf('modalities')).toContain(`modalities/only-${modality}`);
    }
    expect(groups.get('temperature')!.cells.map(({ x }) => x)).toContain(400);
  });

  it('accept pseudo seeds within twenty epochs, and say that the schedule is theirs', () => {
    const { cells, caption } = groups.get('main')!;
    const withSeeds = cells.filter(({ set }) => set['pseudoSeeds.enabled'] === true);
    expect(withSeeds).toHaveLength(2);
    for (const { set } of withSeeds) {
      expect(2 * Number(set['pseudoSeeds.accept'])).toBeLessThan(20);
      expect(set['pseudoSeeds.every']).toBeLessThan(Number(set['pseudoSeeds.accept']));
    }
    expect(caption).toMatch(/accepted in every fourth/);
  });

  it('leave image faults out where there are no images', () => {
    const kinds = (present: readonly Modality[]) =>
      new Set(cellsOf(present).map(({ corruption }) => corruption?.kind));
    const ofImages = ['drop-images', 'swap-images', 'blur-images'] as const;
    for (const kind of ofImages) {
      expect(kinds([...modalities])).toContain(kind);
      expect(kinds(withoutImages)).not.toContain(kind);
    }
    expect(kinds(['relation', 'graph'])).not.toContain('flip-attributes');
  });

  it('keep from none to all of the images, and start every noise at none', () => {
    const kept = groups.get('images-kept')!.cells.filter(({ series }) => series === 'bottlenecks');
    expect(kept.map(({ x }) => x)).toEqual([0, 20, 40, 60, 80, 100]);
    const dropped = kept.map(({ corruption }) => corruption!.probability);
    expect([dropped[0], dropped.at(-1)]).toEqual([1, 0]);
    for (const name of ['noise', 'images-swapped', 'images-blurred', 'fusion']) {
      const first = groups.get(name)!.cells.filter(({ x }) => x === 0);
      expect(first.length).toBeGreaterThan(0);
      expect(first.every(({ corruption }) => corruption!.probability === 0)).toBe(true);
    }
  });

  it('say the true share of seeds, whatever the data have', () => {
    const fewSeeds = groupsOf([...modalities], 0.2).find(({ name }) => name === 'low-resource');
    const [half, all] = fewSeeds!.cells.filter(({ x }) => x === 10 || x === 20);
    expect([half!.seedShare, all!.seedShare]).toEqual([0.5, 1]);
    expect(fewSeeds!.cells.map(({ x }) => x)).not.toContain(30);
  });

  it('compare with and without bottlenecks at every fault and share', () => {
    for (const name of ['low-resource', 'noise', 'images-kept', 'images-blurred']) {
      const plain = groups.get(name)!.cells.filter(({ set }) => 'model.bottlenecks' in set);
      expect(2 * plain.length).toBe(groups.get(name)!.cells.length);
    }
  });
});
