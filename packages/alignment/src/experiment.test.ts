import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { InterruptedError } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { selectBackend, tf } from '@lab/tensor';
import { beforeAll, describe, expect, it } from 'vitest';
import { smallData, smallResolved, smallTask, withImages } from './__fixtures__/small-task.js';
import { tableMethod } from './__fixtures__/table-method.js';
import { groupsFor, runAlignmentExperiment } from './experiment.js';
import type { AlignmentExperimentOptions } from './experiment/options.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

async function optionsOf(
  only: readonly string[],
  dir = temporaryFolder(),
): Promise<AlignmentExperimentOptions> {
  const base = smallResolved({ 'pseudoSeeds.start': 0, 'pseudoSeeds.every': 1 });
  const common = { method: tableMethod, base, epochs: 2, seeds: [1] };
  return { ...common, task: await smallTask(), only, dir };
}

describe('groupsFor', () => {
  it('follows the modalities of the data, and the asked names', async () => {
    const plain = await smallTask();
    const rich = await smallTask(withImages(smallData()));
    const names = (task: typeof plain, only?: readonly string[]) =>
      groupsFor(tableMethod, task, only === undefined ? {} : { only }).map(({ name }) => name);
    expect(names(plain, ['noise', 'modes'])).toEqual(['modes', 'noise']);
    expect(names(plain).length).toBeGreaterThan(7);
    const cells = (task: typeof plain) =>
      groupsFor(tableMethod, task).flatMap((group) => group.cells).length;
    expect(cells(rich)).toBeGreaterThan(cells(plain));
  });
});

describe('runAlignmentExperiment', () => {
  it('writes a table and a figure, and goes on where it was', async () => {
    const options = await optionsOf(['temperature']);
    const messages: string[] = [];
    const onProgress = (text: string) => messages.push(text);
    const before = tf.memory().numTensors;
    const first = await runAlignmentExperiment({ ...options, onProgress });
    expect(tf.memory().numTensors).toBe(before);
    expect(messages).toHaveLength(5);
    const table = readFileSync(join(options.dir, 'temperature.md'), 'utf8');
    expect(table).toContain('## Temperature of InfoNCE');
    expect(table).toMatch(/\| *setting *\| *H@1 *\| *H@10 *\| *MRR *\| *H@1 backward *\|/);
    expect(readFileSync(join(options.dir, 'temperature.svg'), 'utf8')).toContain('<svg');
    expect(first.files.map((path) => path.split('.').at(-1))).toEqual(
      expect.arrayContaining(['md', 'svg']),
    );
    const cells = readFileSync(join(options.dir, 'cells.jsonl'), 'utf8');
    messages.length = 0;
    const again = await runAlignmentExperiment({ ...options, onProgress });
    expect(readFileSync(join(options.dir, 'cells.jsonl'), 'utf8')).toBe(cells);
    expect(again.groups[0]!.table).toEqual(first.groups[0]!.table);
  });

  it('keeps finished cells when it is interrupted', async () => {
    const options = await optionsOf(['temperature']);
    const controller = new AbortController();
    const attempt = runAlignmentExperiment({
      ...options,
      signal: controller.signal,
      onProgress: (_, share) => {
        if (share > 0.3) controller.abort();
      },
    });
    await expect(attempt).rejects.toThrow(InterruptedError);
    const kept = readFileSync(join(options.dir, 'cells.jsonl'), 'utf8').trim().split('\n');
    expect(kept).toHaveLength(2);
    const whole = await runAlignmentExperiment({ ...options, dir: temporaryFolder() });
    const resumed = await runAlignmentExperiment(options);
    expect(resumed.groups[0]!.table).toEqual(whole.groups[0]!.table);
  });

  it('trains every kind of cell: modes, faults, few seeds, pure noise', async () => {
    const task = await smallTask(withImages(smallData()));
    const only = ['modes', 'modalities', 'low-resource', 'images-blurred', 'noise-modality'];
    const options = await optionsOf(only);
    const { groups } = await runAlignmentExperiment({ ...options, task, epochs: 1 });
    const rows = groups.flatMap(({ table }) => table.rows);
    expect(rows).toHaveLength(groups.flatMap(({ group }) => group.cells).length);
    for (const { mean, id } of rows) {
      expect(mean['H@1'], id).toBeGreaterThanOrEqual(0);
      expect(mean['H@1'], id).toBeLessThanOrEqual(1);
    }
    const byId = new Map(rows.map((row) => [row.id, row]));
    const few = byId.get('low-resource/narrow-0.01')!;
    expect(few.settings['seedShare']).toBeLessThan(0.05);
  });

  it('gives mean and deviation over several seeds', async () => {
    const options = { ...(await optionsOf(['modes'])), seeds: [1, 2] };
    const names = groupsFor(tableMethod, options.task).map(({ name }) => name);
    const only = names.filter((name) => name.startsWith('modes'));
    const { groups } = await runAlignmentExperiment({ ...options, only });
    for (const { n, values } of groups[0]!.table.rows) {
      expect(n).toBe(2);
      expect(values['H@1']).toHaveLength(2);
    }
    const table = readFileSync(join(options.dir, `${only[0]}.md`), 'utf8');
    expect(table).toContain('seeds 1, 2');
  });

  it('keeps what a clock measures out of the results, and does not measure it twice', async () => {
    const options = { ...(await optionsOf(['scale', 'modes'])), sizes: [20, 30] };
    let reading = 0;
    const now = () => (reading += 0.25);
    const first = await runAlignmentExperiment({ ...options, now });
    const read = (name: string) => readFileSync(join(options.dir, name), 'utf8');
    expect(read('cells.jsonl')).not.toContain('seconds');
    const timings = read('timings.jsonl');
    expect(timings.trim().split('\n')).toHaveLength(2);
    const { mean } = first.groups.at(-1)!.table.rows[0]!;
    expect(mean['seconds per epoch']).toBe(0.25);
    expect(mean['neighbour pairs']).toBeGreaterThan(40);
    expect(first.files.some((path) => path.endsWith('scale-memory.svg'))).toBe(true);
    await runAlignmentExperiment({ ...options, now });
    expect(read('timings.jsonl')).toBe(timings);
  });

  it('draws the vectors in the plane, and trains again where their file was lost', async () => {
    const options = await optionsOf(['projection']);
    const { files } = await runAlignmentExperiment(options);
    const figure = files.find((path) => path.endsWith('projection.svg'))!;
    const drawn = readFileSync(figure, 'utf8');
    expect(drawn).toContain('all fused, plain');
    rmSync(join(options.dir, 'projection-plain.json'));
    const cells = readFileSync(join(options.dir, 'cells.jsonl'), 'utf8');
    await runAlignmentExperiment(options);
    expect(readFileSync(join(options.dir, 'cells.jsonl'), 'utf8')).toBe(cells);
    expect(readFileSync(figure, 'utf8')).toBe(drawn);
  });
});
