import { modalities } from '@lab/alignment';
import { temporaryFolder } from '@lab/core/testing';
import { selectBackend } from '@lab/tensor';
import { beforeAll, describe, expect, it } from 'vitest';
import { smallData, smallResolved, smallTask, withImages } from './__fixtures__/small-task.js';
import { ablationGroups } from './experiment/groups.js';
import { runIbmeaExperiment } from './library.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

describe('runIbmeaExperiment', () => {
  it('trains every kind of cell: modes, losses, encoders, fusions', async () => {
    const task = await smallTask(withImages(smallData()));
    const base = smallResolved({ 'pseudoSeeds.start': 0, 'pseudoSeeds.every': 1 });
    const only = ['main', 'regularisers', 'hybrid', 'encoder'];
    const common = { task, base, epochs: 1, seeds: [1] };
    const { groups } = await runIbmeaExperiment({ ...common, only, dir: temporaryFolder() });
    const rows = groups.flatMap(({ table }) => table.rows);
    const cells = ablationGroups({ present: [...modalities], seedShare: 0.5 })
      .filter(({ name }) => only.includes(name))
      .flatMap((group) => group.cells);
    expect(rows.map(({ id }) => id)).toEqual(cells.map(({ id }) => id));
    for (const { mean, id } of rows) {
      expect(mean['H@1'], id).toBeGreaterThanOrEqual(0);
      expect(mean['H@1'], id).toBeLessThanOrEqual(1);
    }
  });
});
