import { afterAll, describe, expect, it } from 'vitest';
import { readerNames } from '../fuzz/cases.js';
import { CaseRunner, noCounts } from '../fuzz/run-cases.js';
import { WorkerProcess } from '../fuzz/worker-process.js';

/** Of each reader; the long check transformer-fuzz runs 100,000. */
const CASES = 2000;

describe('changed files', () => {
  const runner = new CaseRunner();
  afterAll(() => runner.end());

  it.each(readerNames)(
    '%s: are read as they stand, or refused by an error that names the file',
    async (reader) => {
      const counts = noCounts();
      expect(await runner.run({ reader, from: 0, to: CASES }, counts)).toEqual([]);
      expect(counts.read + counts.refused).toBe(CASES);
      // Enough of them pass the first checks.
      expect(counts.read).toBeGreaterThan(CASES / 50);
    },
  );
});

describe('the process that reads them', () => {
  it.each([
    ['hang', /no end after \d+ ms/],
    ['buffers', /allocation failed|took 3\d\d MB|ended with SIG/],
    ['heap', /ended with SIG|no end/],
    ['exit', /ended with SIG/],
  ] as const)(
    'notices %s',
    // On a busy machine a second may pass before a process does anything: as with cases, once more.
    { retry: 2 },
    async (trial, message) => {
      const worker = await WorkerProcess.start();
      const outcome = await worker.run({ trial });
      worker.end();
      expect(outcome.kind).toBe('failed');
      expect(outcome.message).toMatch(message);
    },
  );
});
