import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { requireCondition, temporaryFolder } from '@lab/core/testing';
import { expect, it } from 'vitest';
import { C_FLAGS, cOf, findBuild } from '../../src/native/build.js';
import { compile, kernelSources } from '../../src/native/compile.js';
import { releaseIdlePages } from '../../src/native/idle-pages.js';
import { loadAddon } from '../../src/native/kernel-addon.js';
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

/** Bytes of files that this process has in memory. */
const fileBytes = () =>
  1024 * Number(/^RssFile:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);

const found = machine === null ? null : findBuild(machine);
const hasBuild = requireCondition('tensorflow', found !== null);
const pagesTitle = 'pages that were read to load a program are given back, and come back';

if (!hasBuild) it.skipIf(true)(`${pagesTitle} (needs tensorflow)`, () => undefined);

it.runIf(hasBuild && process.platform === 'linux')(pagesTitle, () => {
  const addon = loadAddon(found!.kernels);
  const before = fileBytes();
  const released = releaseIdlePages(addon);
  expect(released).toBeGreaterThan(0);
  expect(fileBytes()).toBeLessThan(before / 2);
  // Code that was given back runs, and reads its constants, as before.
  expect(addon.names().length).toBeGreaterThan(100);
  expect(JSON.stringify([1.5, 'a'])).toBe('[1.5,"a"]');
});
