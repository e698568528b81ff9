import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { InterruptedError, ModelError } from './errors.js';
import { type ExperimentOptions, type ExperimentProgress, runExperiment } from './experiment.js';
import { temporaryFolder } from './testing.js';

let dir = '';
let calls: string[] = [];
beforeEach(() => {
  dir = join(temporaryFolder(), 'sweep');
  calls = [];
});

function options(more: Partial<ExperimentOptions> = {}): ExperimentOptions {
  return {
    dir,
    name: 'grid',
    cells: [
      { id: 'full', settings: { lr: 1 } },
      { id: 'half', settings: { lr: 0.5 } },
    ],
    seeds: [1, 2, 3],
    runCell: async (cell, seed) => {
      calls.push(`${cell.id}/${seed}`);
      return { score: Number(cell.settings.lr) * seed };
    },
    ...more,
  };
}

describe('runExperiment', () => {
  it('gives mean and sample deviation over the seeds', async () => {
    const { rows } = await runExperiment(options());
    expect(rows).toEqual([
      {
        id: 'full',
        settings: { lr: 1 },
        n: 3,
        mean: { score: 2 },
        deviation: { score: 1 },
        values: { score: [1, 2, 3] },
      },
      {
        id: 'half',
        settings: { lr: 0.5 },
        n: 3,
        mean: { score: 1 },
        deviation: { score: 0.5 },
        values: { score: [0.5, 1, 1.5] },
      },
    ]);
    const one = await runExperiment(options({ name: 'one', seeds: [4] }));
    expect(one.rows[0]).toMatchObject({ n: 1, mean: { score: 4 }, deviation: { score: 0 } });
  });

  it('goes on after an interrupt and gives the same table', async () => {
    const controller = new AbortController();
    const base = options();
    const interrupted = runExperiment({
      ...base,
      signal: controller.signal,
      runCell: async (cell, seed, context) => {
        if (cell.id === 'half' && seed === 1) controller.abort();
        return base.runCell(cell, seed, context);
      },
    });
    await expect(interrupted).rejects.toThrow(InterruptedError);
    await expect(interrupted).rejects.toThrow('saved 4 of 6 cells');
    const first = [...calls];
    const seen: ExperimentProgress[] = [];
    const resumed = await runExperiment({ ...base, onProgress: (step) => seen.push(step) });
    expect(calls).toEqual([...first, 'half/2', 'half/3']);
    expect(seen.map((step) => step.reused)).toEqual([true, true, true, true, false, false]);
    expect(seen.at(-1)).toMatchObject({ done: 6, total: 6, id: 'half', seed: 3 });
    expect(resumed).toEqual(await runExperiment(options({ name: 'fresh' })));
  });

  it('survives a torn line and runs cells with changed settings again', async () => {
    await runExperiment(options());
    const path = join(dir, 'grid.jsonl');
    const whole = readFileSync(path, 'utf8');
    appendFileSync(path, '{"id":"fu');
    calls = [];
    await runExperiment(options());
    expect(calls).toEqual([]);
    expect(readFileSync(path, 'utf8')).toBe(whole);
    const changed = [{ id: 'full', settings: { lr: 2 } }];
    const { rows } = await runExperiment(options({ cells: changed }));
    expect(calls).toEqual(['full/1', 'full/2', 'full/3']);
    expect(rows[0]?.mean.score).toBe(4);
  });

  it('refuses numbers that are not finite and passes errors through', async () => {
    const bad = runExperiment(options({ runCell: async () => ({ loss: Number.NaN }) }));
    await expect(bad).rejects.toThrow(ModelError);
    await expect(bad).rejects.toThrow('loss of grid/full seed 1 is NaN');
    const broken = runExperiment(options({ runCell: () => Promise.reject(new RangeError('x')) }));
    await expect(broken).rejects.toThrow(RangeError);
  });

  it('accepts an empty grid', async () => {
    expect(await runExperiment(options({ cells: [] }))).toEqual({ rows: [] });
    const { rows } = await runExperiment(options({ seeds: [] }));
    expect(rows[0]).toMatchObject({ n: 0, mean: {} });
  });
});
