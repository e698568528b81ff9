import { ConfigError } from '@lab/core';
import { describe, expect, it } from 'vitest';
import { readRunSettings } from './run-settings.js';

describe('readRunSettings', () => {
  it('needs a folder for what is written and for what went before', () => {
    for (const options of [{}, { out: '' }, { resume: true }, { resume: true, dryRun: true }]) {
      expect(() => readRunSettings(options)).toThrow('--out DIR is missing');
      expect(readRunSettings(options, 'folder').out).toBe('folder');
    }
    expect(readRunSettings({ dryRun: true })).toMatchObject({ out: '', isDryRun: true });
    expect(readRunSettings({ out: 'a' }, 'b').out).toBe('a');
  });

  it('reads how far a run may go', () => {
    const flags = { maxCalls: 5, maxTotalTokens: 9, budgetUsd: 0.5, maxErrors: '10%' };
    expect(readRunSettings({ ...flags, out: 'a', shard: '1/3', concurrency: 4 })).toMatchObject({
      budget: { maxCalls: 5, maxTotalTokens: 9, budgetUsd: 0.5 },
      shard: { index: 1, count: 3 },
      concurrency: 4,
    });
    for (const wrong of [{ maxCalls: 0 }, { maxTotalTokens: -1 }, { budgetUsd: 0 }]) {
      expect(() => readRunSettings({ out: 'a', ...wrong })).toThrow(ConfigError);
    }
  });
});
