import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { requireCondition, temporaryFolder } from '@lab/core/testing';
import { expect, it } from 'vitest';
import { C_FLAGS, cOf } from '../../src/native/build.js';
import { compile, kernelSources } from '../../src/native/compile.js';
import { readSetup } from '../../src/native/places.js';

/** The compiler that `lab-tensor setup` has found on this machine. */
process.env['LAB_TENSOR_HOME'] = process.env['LAB_SETUP_HOME'];
const machine = readSetup();
const isThere = requireCondition('tensorflow', machine !== null);
const isReady = isThere && process.arch === 'x64';
const title = 'a product keeps its sums in registers on x86-64';

if (!isReady) it.skipIf(true)(`${title} (needs tensorflow)`, () => undefined);

// A compiler that holds them in memory makes a product ten times slower, with the same result.
it.runIf(isReady).each(['v3', 'v4'])(`${title}-%s`, async (level) => {
  const target = join(temporaryFolder(), 'tile.s');
  const source = join(kernelSources(), 'native', 'tile.c');
  const flags = [...C_FLAGS, `-march=x86-64-${level}`];
  await compile(cOf(machine!.compiler), [...flags, '-S', source, '-o', target]);
  const assembly = readFileSync(target, 'utf8');
  expect(assembly).toMatch(/vfmadd\d+ps/);
  expect(assembly).not.toMatch(/\(%r[sb]p\)/);
});
