import { describe, expect, it } from 'vitest';
import { tableMethod } from '../__fixtures__/table-method.js';
import { type Modality, modalities } from '../config-fields.js';

const withoutImages: Modality[] = ['attribute', 'relation', 'graph'];
const groupsOf = (present: readonly Modality[], seedShare = 0.3) =>
  tableMethod.groups({ present, seedShare });
const cellsOf = (present: readonly Modality[]) => groupsOf(present).flatMap(({ cells }) => cells);
const groups = new Map(groupsOf([...modalities]).map((group) => [group.name, group]));

describe('groups of faults', () => {
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
    const kept = groups.get('images-kept')!.cells.filter(({ series }) => series === 'narrow');
    expect(kept.map(({ x }) => x)).toEqual([0, 20, 40, 60, 80, 100]);
    const dropped = kept.map(({ corruption }) => corruption!.probability);
    expect([dropped[0], dropped.at(-1)]).toEqual([1, 0]);
    for (const name of ['noise', 'images-swapped', 'images-blurred']) {
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

  it('compare the same rivals at every fault and share', () => {
    for (const name of ['low-resource', 'noise', 'images-kept', 'images-blurred']) {
      const { cells } = groups.get(name)!;
      const wide = cells.filter(({ set }) => 'model.tableSize' in set);
      expect(2 * wide.length).toBe(cells.length);
      for (const { x, series } of cells)
        expect([typeof x, typeof series]).not.toContain('undefined');
    }
  });

  it('give random images a cell beside none, without a place on an axis', () => {
    const { axis, cells } = groups.get('noise-modality')!;
    expect(axis).toBeUndefined();
    expect(cells.map(({ corruption }) => corruption?.kind)).toEqual([
      undefined,
      'noise-images',
      undefined,
      'noise-images',
    ]);
  });
});
