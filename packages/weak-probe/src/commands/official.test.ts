import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { run } from '../__fixtures__/run-program.js';
import type { GraftResult } from '../graft-result.js';
import type { LensResult } from '../lens-result.js';
import { readResult } from '../run-files.js';

const dir = join(temporaryFolder(), 'official');
const backend = ['--backend', 'wasm', '--threads', '1'];
const few = ['--set', 'graft.recipients=4'];
/** The last of the model's states 0 to 5. */
const end = '5';

beforeAll(async () => {
  const model = ['--model', 'example:organism', '--classes', 'answered,refused', '--limit', '6'];
  const mode = ['--format', 'chat', '--mode', 'official'];
  const { code, stderr } = await run(['collect', ...model, ...mode, ...backend, '--out', dir]);
  expect(code, stderr).toBe(0);
});

const done = async (args: readonly string[]) => {
  const found = await run([...args, ...backend]);
  expect(found.code, found.stderr).toBe(0);
  return found.stdout;
};

describe('a collection in mode official, whose last state stands behind the final norm', () => {
  it('is grafted at every state that is a residual, and read behind it', async () => {
    await done(['graft', dir, '--mode', 'official', '--lens', ...few]);
    const graft = readResult<GraftResult>(dir, 'graft')!;
    expect(graft.settings.semantics).toBe('official');
    const grafted = graft.points.filter(({ source }) => source === 'mean');
    expect(grafted.map(({ state }) => state)).toEqual([1, 2, 3, 4]);
    expect(graft.lens!.with.states).toHaveLength(6);
    // Released code leaves a block out with a graft: behind the last head, donors still answer.
    expect(grafted.at(-1)!.refusalShare).toBeLessThan(graft.points[0]!.refusalShare);
  });
  it('is steered at such a state', async () => {
    const text = await done(['steer', dir, '--doses=-1,1', '--draws', '1', ...few]);
    expect(text).toContain('direction of mass-mean at state 3');
  });
  it('lets later blocks read all states but the last', async () => {
    await done(['lens', dir, '--patchscope', 'identity', '--classes', 'refused']);
    const [{ table } = {} as never] = readResult<LensResult>(dir, 'lens')!.classes;
    expect(table!.states.map(({ state }) => state)).toEqual([0, 1, 2, 3, 4]);
  });
  it.each([
    ['graft', ['--states', end]],
    ['steer', ['--state', end]],
    ['lens', ['--tune', join(dir, 'none.safetensors')]],
  ])('is refused by %s where the last state is needed', async (verb, more) => {
    const { code, stderr } = await run([verb, dir, ...more, ...backend]);
    expect(stderr).toContain('state');
    expect(stderr).toContain('behind the final norm');
    expect(code).toBe(2);
  });
});
