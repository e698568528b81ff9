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

  it('start the fault of the fusions at none', () => {
    const first = groups.get('fusion')!.cells.filter(({ x }) => x === 0);
    expect(first).toHaveLength(4);
    expect(first.every(({ corruption }) => corruption!.probability === 0)).toBe(true);
  });

  it('compare with and without bottlenecks at every fault and share', () => {
    for (const name of ['low-resource', 'noise', 'images-kept', 'images-blurred']) {
      const plain = groups.get(name)!.cells.filter(({ set }) => 'model.bottlenecks' in set);
      expect(2 * plain.length).toBe(groups.get(name)!.cells.length);
    }
  });
});
