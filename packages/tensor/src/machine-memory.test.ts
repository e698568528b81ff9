import { writeFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { expect, it } from 'vitest';
import { machineMemoryBytes } from './machine-memory.js';

it.each([
  ['1048576\n', 1_048_576],
  ['max\n', totalmem()],
  [`${2 * totalmem()}\n`, totalmem()],
])('of a control group that says %j', (text, bytes) => {
  const path = join(temporaryFolder(), 'memory.max');
  writeFileSync(path, text);
  expect(machineMemoryBytes(path)).toBe(bytes);
});

it('without a control group is that of the machine', () => {
  expect(machineMemoryBytes('/nowhere/memory.max')).toBe(totalmem());
});
