import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { describe, expect, it } from 'vitest';
import { availableThreads, quotaProcessors } from './thread-count.js';

describe('quotaProcessors', () => {
  it.each([
    ['200000 100000', 2],
    ['350000 100000', 3],
    ['50000 100000', 1],
    ['max 100000', undefined],
  ])('reads cpu.max "%s" as %s', (text, expected) => {
    const root = temporaryFolder();
    writeFileSync(join(root, 'cpu.max'), `${text}\n`);
    expect(quotaProcessors(root)).toBe(expected);
  });

  it.each([
    ['400000', '100000', 4],
    ['-1', '100000', undefined],
  ])('reads a first-version quota of %s in %s as %s', (quota, period, expected) => {
    const root = temporaryFolder();
    mkdirSync(join(root, 'cpu'));
    writeFileSync(join(root, 'cpu/cpu.cfs_quota_us'), quota);
    writeFileSync(join(root, 'cpu/cpu.cfs_period_us'), period);
    expect(quotaProcessors(root)).toBe(expected);
  });

  it('knows no quota where no control group is mounted', () => {
    expect(quotaProcessors(temporaryFolder())).toBeUndefined();
  });
});

describe('availableThreads', () => {
  it('is at least one', () => {
    expect(availableThreads()).toBeGreaterThanOrEqual(1);
  });
});
