import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { expect, test } from 'vitest';
import { checkVectors, type VectorCheckOptions } from './vector-check.js';

const engine = { node: '24.0.0', arch: 'x64' };
const tile = Uint8Array.of(1, 2, 3);

/** Settings with a check that runs the given lines instead. */
const checkOf = (lines: string, folder = temporaryFolder()): VectorCheckOptions => ({
  ...{ engine, folder, script: ['-e', lines, '--'] },
});

const passing = `process.stdout.write('{"same":true,"ratio":2.5}')`;

test('a check that passes allows 256 bits, and is asked once for a machine', async () => {
  const folder = temporaryFolder();
  const found = await checkVectors(tile, checkOf(passing, folder));
  expect(found).toEqual({
    vectorBits: 256,
    why: 'checked here: the same bits, 2.5 times as fast',
  });
  const [name] = readdirSync(join(folder, 'tensor'));
  expect(JSON.parse(readFileSync(join(folder, 'tensor', name!), 'utf8'))).toMatchObject({
    ...{ ...found, node: process.versions.node, module: expect.stringMatching(/^[0-9a-f]{64}$/) },
  });
  const failing = checkOf('process.exit(3)', folder);
  expect(await checkVectors(tile, failing)).toEqual(found);
  expect(await checkVectors(Uint8Array.of(4), failing)).toMatchObject({ vectorBits: 128 });
  expect(await checkVectors(tile, { ...failing, isAnew: true })).toMatchObject({ vectorBits: 128 });
  expect(await checkVectors(tile, checkOf(passing, folder))).toMatchObject({ vectorBits: 128 });
});

test.each([
  ['ends by a signal', `process.kill(process.pid, 'SIGTRAP')`, /ended with SIGTRAP/],
  ['fails', 'process.exit(3)', /exit code 3/],
  ['never ends', 'setInterval(() => {}, 1000)', /ended with SIGKILL/],
  ['finds other bits', `process.stdout.write('{"same":false,"ratio":3}')`, /other bits/],
  ['finds no gain', `process.stdout.write('{"same":true,"ratio":1}')`, /1 times as fast/],
  ['measures nothing', `process.stdout.write('{"same":true,"ratio":null}')`, /null times as fast/],
  ['says nothing', '', /no outcome/],
  ['knows no flag', `${passing}; console.error('unrecognized flag --x')`, /no flag/],
])('a check that %s leaves 128 bits', async (_, lines, why) => {
  const timeoutMs = lines.startsWith('setInterval') ? 200 : 20_000;
  const found = await checkVectors(tile, { ...checkOf(lines), timeoutMs });
  expect(found).toEqual({ vectorBits: 128, why: expect.stringMatching(why) });
});

test('a check that does not start leaves 128 bits, and is tried again', async () => {
  const folder = temporaryFolder();
  const missing = { ...checkOf(passing, folder), program: join(folder, 'node') };
  const found = await checkVectors(tile, missing);
  expect(found).toEqual({ vectorBits: 128, why: expect.stringContaining('did not start') });
  expect(await checkVectors(tile, checkOf(passing, folder))).toMatchObject({ vectorBits: 256 });
});

test.each([
  ['an older Node', { engine: { node: '22.1.0', arch: 'x64' } }, 'Node 22.1.0'],
  ['another processor', { engine: { node: '24.0.0', arch: 'arm64' } }, 'arm64'],
  ['another program', { engine, program: '/opt/editor' }, 'editor is not Node'],
])('%s is not asked', async (_, options, why) => {
  const found = await checkVectors(tile, { ...checkOf(passing), ...options });
  expect(found).toEqual({ vectorBits: 128, why: expect.stringContaining(why) });
});

test('an outcome that cannot be kept or read is found again', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'file');
  writeFileSync(file, '');
  expect(await checkVectors(tile, checkOf(passing, file))).toMatchObject({ vectorBits: 256 });
  await checkVectors(tile, checkOf(passing, folder));
  const [name] = readdirSync(join(folder, 'tensor'));
  for (const damaged of ['{', '{"vectorBits":512,"why":""}', 'null']) {
    writeFileSync(join(folder, 'tensor', name!), damaged);
    expect(await checkVectors(tile, checkOf('', folder))).toMatchObject({ vectorBits: 128 });
  }
});
