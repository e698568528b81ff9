import { selectBackend } from '@lab/tensor';
import { beforeAll, describe, expect, it } from 'vitest';
import { quick, runProgram, smallFolder } from '../__fixtures__/run-program.js';
import { temporaryFolder } from '@lab/core/testing';
import type { PairExplanation } from '../explain.js';

let run = '';
beforeAll(async () => {
  await selectBackend('wasm');
  const argv = [
    'train',
    '--data',
    await smallFolder(),
    '--out',
    temporaryFolder(),
    '--epochs',
    '8',
  ];
  const settings = [...quick, '--set', 'pseudoSeeds.enabled=true', '--set', 'pseudoSeeds.every=1'];
  const accept = ['--set', 'pseudoSeeds.accept=2', '--json'];
  const { code, stdout, stderr } = await runProgram(...argv, ...settings, ...accept);
  expect(code, stderr).toBe(0);
  run = (JSON.parse(stdout) as { run: string }).run;
});

async function explained(...flags: string[]) {
  const { code, stdout, stderr } = await runProgram('explain', '--run', run, ...flags, '--json');
  expect(code, stderr).toBe(0);
  return (JSON.parse(stdout) as { pairs: PairExplanation[] }).pairs;
}

describe('explain', () => {
  it('without a target explains the best three, with one that one', async () => {
    const [first] = await explained('--source', '0');
    const { name } = first!.source;
    const three = await explained('--source', name);
    expect(three.map(({ rank }) => rank)).toEqual([1, 2, 3]);
    expect(three[0]).toEqual(first);
    const second = await explained('--source', name, '--target', three[1]!.target.name);
    expect(second.map(({ target }) => target.name)).toEqual([three[1]!.target.name]);
  });

  it('takes pairs that the run accepted as known', async () => {
    const kinds = new Set<PairExplanation['trainedOn']>();
    for (let at = 0; at < 40 && kinds.size < 3; at += 1) {
      const pairs = await explained('--source', String(at));
      for (const { trainedOn } of pairs) kinds.add(trainedOn);
    }
    expect(kinds).toEqual(new Set([null, 'seed', 'pseudo-seed']));
  });

  it('prints text within the width', async () => {
    const { stdout } = await runProgram('explain', '--run', run, '--source', '3');
    expect(stdout).toContain('modality');
    expect(stdout.match(/rank \d+ of/g)).toHaveLength(3);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  it('names the nearest where it knows no such entity, and says what is missing', async () => {
    const unknown = await runProgram('explain', '--run', run, '--source', 'no such name');
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toMatch(/--source no such name: [^]*the nearest are .+, .+, .+/);
    const bare = await runProgram('explain', '--run', run);
    expect([bare.code, bare.stderr]).toEqual([2, expect.stringContaining('--source is missing')]);
    const none = await runProgram('explain', '--source', '3');
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('--run is missing')]);
  });
});
