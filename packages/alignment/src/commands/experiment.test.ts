import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { describe, expect, it } from 'vitest';
import { runProgram, smallFolder } from '../__fixtures__/run-program.js';

async function listedGroups(...argv: string[]): Promise<Record<string, string[]>> {
  const { code, stdout, stderr } = await runProgram('experiment', ...argv, '--list', '--json');
  expect(code, stderr).toBe(0);
  const { groups } = JSON.parse(stdout) as { groups: { name: string; cells: string[] }[] };
  return Object.fromEntries(groups.map(({ name, cells }) => [name, cells]));
}

describe('experiment', () => {
  it('lists its groups and cells without training', async () => {
    const groups = await listedGroups('--data', await smallFolder());
    expect(Object.keys(groups)).toContain('low-resource');
    expect(groups['modalities']).toContain('modalities/only-graph');
  });

  it('reads the images that --images names', async () => {
    const dir = await smallFolder();
    renameSync(join(dir, 'images.npy'), join(dir, 'pictures.npy'));
    renameSync(join(dir, 'images_ids.txt'), join(dir, 'pictures_ids.txt'));
    const without = await listedGroups('--data', dir);
    expect(without['modalities']).not.toContain('modalities/only-image');
    const named = await listedGroups('--data', dir, '--images', join(dir, 'pictures.npy'));
    expect(named['modalities']).toContain('modalities/only-image');
  });

  it('refuses data without test pairs', async () => {
    const argv = ['experiment', '--data', await smallFolder(), '--preset', 'own'];
    const { code, stderr } = await runProgram(...argv, '--out', temporaryFolder());
    expect([code, stderr]).toEqual([2, expect.stringContaining('no test pairs')]);
  });

  it('refuses an unknown group with the nearest name', async () => {
    const argv = ['experiment', '--data', await smallFolder(), '--only', 'modalties'];
    const { code, stderr } = await runProgram(...argv);
    expect([code, stderr]).toEqual([2, expect.stringContaining('did you mean "modalities"?')]);
  });
});
