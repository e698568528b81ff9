import { type Modality, modalities } from '@lab/alignment';
import { resolveConfig } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { selectBackend } from '@lab/tensor';
import { beforeAll, describe, expect, it } from 'vitest';
import { smallData, smallResolved, smallTask, withImages } from './__fixtures__/small-task.js';
import { loginmeaConfig } from './config.js';
import { ablationGroups } from './experiment-groups.js';
import { runLoginmeaExperiment } from './library.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

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
      expect(() => resolveConfig(loginmeaConfig, options), id).not.toThrow();
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
        'parts',
        'modalities',
        'propagation',
        'loss',
        'rank',
        'layers',
        'size',
        'temperature',
        'low-resource',
        'noise',
        'images-kept',
        'images-swapped',
        'images-blurred',
        'noise-modality',
        'projection',
        'scale',
      ]),
    );
    for (const modality of modalities) {
      expect(idsOf('modalities')).toContain(`modalities/without-${modality}`);
      expect(idsOf('modalities')).toContain(`modalities/only-${modality}`);
    }
    expect(idsOf('loss')).toHaveLength(5);
    expect(idsOf('propagation')).toHaveLength(5);
  });

  it('leave out groups on images where the data have none', () => {
    const names = groupsOf(withoutImages).map(({ name }) => name);
    expect(names.filter((name) => name.startsWith('images'))).toEqual([]);
    expect(cellsOf(withoutImages).map(({ id }) => id)).not.toContain('modalities/only-image');
    const dropped = [...groups.keys()].filter((name) => !names.includes(name));
    expect(dropped).toEqual(['images-kept', 'images-swapped', 'images-blurred']);
  });

  it('accept pseudo seeds within twenty epochs, with each way to start the optimiser anew', () => {
    const withSeeds = groups
      .get('main')!
      .cells.filter(({ set }) => set['pseudoSeeds.enabled'] === true);
    expect(withSeeds.map(({ set }) => set['training.optimizerReset'])).toEqual([
      'once',
      'every-epoch',
      'never',
    ]);
    for (const { set } of withSeeds) {
      const [start, accept] = [set['pseudoSeeds.start'], set['pseudoSeeds.accept']].map(Number);
      expect(start! + 2 * accept!).toBeLessThan(20);
      expect(set['pseudoSeeds.every']).toBeLessThan(accept!);
    }
  });

  it('compare with equal weights and with the graph alone at every fault and share', () => {
    for (const name of ['low-resource', 'noise', 'images-kept', 'images-blurred']) {
      const { cells } = groups.get(name)!;
      const uniform = cells.filter(({ set }) => set['model.modalityWeights'] === 'uniform');
      const structure = cells.filter(({ set }) => 'data.modalities' in set);
      expect(3 * uniform.length, name).toBe(cells.length);
      expect(structure.length, name).toBe(uniform.length);
    }
  });
});

describe('runLoginmeaExperiment', () => {
  it('trains every kind of cell: modes, parts, modalities, propagation, losses', async () => {
    const task = await smallTask(withImages(smallData()));
    const base = smallResolved({ 'pseudoSeeds.start': 0, 'pseudoSeeds.every': 1 });
    const only = ['main', 'parts', 'modalities', 'propagation', 'loss'];
    const common = { task, base, epochs: 1, seeds: [1] };
    const { groups } = await runLoginmeaExperiment({ ...common, only, dir: temporaryFolder() });
    const rows = groups.flatMap(({ table }) => table.rows);
    const cells = groupsOf([...modalities], 0.5)
      .filter(({ name }) => only.includes(name))
      .flatMap((group) => group.cells);
    expect(rows.map(({ id }) => id)).toEqual(cells.map(({ id }) => id));
    for (const { mean, id } of rows) {
      expect(mean['H@1'], id).toBeGreaterThanOrEqual(0);
      expect(mean['H@1'], id).toBeLessThanOrEqual(1);
    }
  });
});
