/**
 * The process that reads changed files: gets cases, one at a time, and sends how each ends.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CaseOutcome, type FuzzCase, runCase, setUpReaders } from './cases.js';

/** What a case must not do, done to see that it is noticed. */
export interface Trial {
  readonly trial: 'buffers' | 'exit' | 'hang' | 'heap';
}

const trials: Readonly<Record<Trial['trial'], () => unknown>> = {
  buffers: () => new Uint8Array(300 * 2 ** 20).fill(1),
  exit: () => process.abort(),
  hang: () => {
    for (;;);
  },
  heap: () => {
    const held: number[][] = [];
    for (;;) held.push(new Array<number>(1e6).fill(held.length));
  },
};

async function outcomeOf(one: FuzzCase | Trial): Promise<CaseOutcome> {
  if (!('trial' in one)) return runCase(folder, one);
  trials[one.trial]();
  return { kind: 'read' };
}

const folder = mkdtempSync(join(tmpdir(), 'lab-fuzz-'));
const peak = () => process.resourceUsage().maxRSS * 1024;

process.on('message', (one: FuzzCase | Trial) => {
  void outcomeOf(one)
    .catch((error: unknown) => ({ kind: 'failed', message: String(error) }) as const)
    .then((outcome) => process.send!({ ...outcome, peakBytes: peak() }));
});
process.on('disconnect', () => {
  rmSync(folder, { recursive: true, force: true });
  process.exit(0);
});

await setUpReaders(folder);
process.send!({ folder, peakBytes: peak() });
