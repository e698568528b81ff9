import { statSync } from 'node:fs';
import { join } from 'node:path';
import { requireProgram, temporaryFolder } from '@lab/core/testing';
import { checkPage } from '@lab/report/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { ibmea, onlyRun, writePair } from './ibmea-process.js';

describe.skipIf(!requireProgram('chromium'))('the page of a run (needs chromium)', () => {
  const out = temporaryFolder();

  beforeAll(async () => {
    const sizes = ['model.graphSize=32', 'model.featureSize=16', 'training.warmup=5'];
    const pseudo = ['pseudoSeeds.enabled=true', 'pseudoSeeds.start=4', 'pseudoSeeds.every=1'];
    const often = ['pseudoSeeds.accept=8', 'evaluation.every=4', 'training.horizon=60'];
    const flags = [...sizes, ...pseudo, ...often].flatMap((entry) => ['--set', entry]);
    const argv = ['train', '--data', await writePair(160), '--epochs', '40', '--out', out];
    const { code, stderr } = await ibmea([...argv, ...flags]);
    expect(code, stderr).toBe(0);
  });

  it('is sound at 1280 and 400 px, light and dark, without scripts', async () => {
    const page = join(onlyRun(out)!, 'report.html');
    const { problems, views } = await checkPage(page, { scripts: [false] });
    expect(problems).toEqual([]);
    expect(views).toHaveLength(4);
    expect(statSync(page).size).toBeLessThan(2_000_000);
  });

  it('is sound with scripts', async () => {
    const page = join(onlyRun(out)!, 'report.html');
    const { problems } = await checkPage(page, { schemes: ['dark'], scripts: [true] });
    expect(problems).toEqual([]);
  });
});
