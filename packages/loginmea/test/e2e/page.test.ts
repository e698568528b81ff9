import { statSync } from 'node:fs';
import { join } from 'node:path';
import { requireProgram, temporaryFolder } from '@lab/core/testing';
import { checkPage } from '@lab/report/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { loginmea, onlyRun, writePair } from './loginmea-process.js';

describe.skipIf(!requireProgram('chromium'))('the page of a run (needs chromium)', () => {
  const out = temporaryFolder();

  beforeAll(async () => {
    const sizes = ['model.size=32', 'model.rank=2', 'evaluation.every=4'];
    const pseudo = ['pseudoSeeds.enabled=true', 'pseudoSeeds.start=4', 'pseudoSeeds.every=1'];
    const flags = [...sizes, ...pseudo, 'pseudoSeeds.accept=8'].flatMap((entry) => [
      '--set',
      entry,
    ]);
    const argv = ['train', '--data', await writePair(160), '--epochs', '24', '--out', out];
    const { code, stderr } = await loginmea([...argv, ...flags]);
    expect(code, stderr).toBe(0);
  });

  it('is sound at 1280 and 400 px, light and dark, with scripts and without', async () => {
    const page = join(onlyRun(out)!, 'report.html');
    const { problems, views } = await checkPage(page, { scripts: [false] });
    expect(problems).toEqual([]);
    expect(views).toHaveLength(4);
    const scripted = await checkPage(page, { schemes: ['dark'], scripts: [true] });
    expect(scripted.problems).toEqual([]);
    expect(statSync(page).size).toBeLessThan(2_000_000);
  });
});
