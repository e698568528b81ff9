import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { describe, expect, it } from 'vitest';
import { runProgram, smallFolder } from '../__fixtures__/run-program.js';

const folder = temporaryFolder();
const file = (name: string) => join(folder, name);

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

  it('lists all groups without data', async () => {
    const groups = await listedGroups();
    expect(groups['modalities']).toContain('modalities/only-image');
    const { code, stdout, stderr } = await runProgram('experiment', '--list');
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^low-resource +\d+ cells/m)]);
    expect(stderr).toContain('some need images or attributes');
    expect(await runProgram('experiment')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--source FILE --target FILE --links FILE') as unknown,
    });
  });

  it("takes two graphs of one's own: a share of the links are seeds", async () => {
    const argv = ['--source', file('a.csv'), '--target', file('b.csv'), '--links', file('l.csv')];
    const names = Array.from({ length: 20 }, (_, at) => at);
    for (const side of ['a', 'b']) {
      const rows = names.map((at) => `${side}${at},next,${side}${(at + 1) % 20}\n`);
      writeFileSync(file(`${side}.csv`), rows.join(''));
    }
    writeFileSync(file('l.csv'), names.map((at) => `a${at},b${at}\n`).join(''));
    expect((await listedGroups(...argv))['modalities']).not.toContain('modalities/only-image');
    const only = ['--only', 'modes', '--epochs', '2', '--out', file('out'), '--json'];
    const { code, stdout, stderr } = await runProgram('experiment', ...argv, ...only);
    expect(code, stderr).toBe(0);
    const { seedOrigin } = JSON.parse(stdout) as { seedOrigin: string };
    expect(seedOrigin).toMatch(/^first 30 % by SHA-256/);
    const half = await runProgram(
      ...['experiment', ...argv, ...only.slice(0, 4), '--out', file('half'), '--json'],
      ...['--set', 'data.seedShare=0.5'],
    );
    expect(JSON.parse(half.stdout)).toMatchObject({
      seedOrigin: expect.stringMatching(/^first 50 %/) as unknown,
    });
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
