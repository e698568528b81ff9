import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { describe, expect, it } from 'vitest';
import { createFakeClock } from '../__fixtures__/fake-clock.js';
import { readTimeline, RunTimeline, timelineFile } from './run-timeline.js';

const retry = (status: number | undefined) =>
  ({ type: 'retry', failure: 'rate-limit', status, waitMs: 5 }) as const;

describe('RunTimeline', () => {
  it('counts rows and retries by second, a line for each process', async () => {
    const path = join(temporaryFolder(), timelineFile);
    const clock = createFakeClock();
    const first = new RunTimeline(clock, false);
    first.progress(2);
    await clock.advance(2500);
    first.progress(2);
    first.progress(5);
    first.note(retry(429));
    first.note(retry(undefined));
    first.note({ type: 'parameter', name: 'seed', replacement: null });
    first.append(path);
    const second = new RunTimeline(clock, true);
    second.progress(5); // of the first
    second.append(path);
    second.progress(6);
    second.append(path);
    expect(readTimeline(path)).toEqual([
      {
        seconds: 1,
        rows: [2, 0, 3],
        retries: { 'rate-limit 429': [0, 0, 1], 'rate-limit': [0, 0, 1] },
      },
      { seconds: 1, rows: [1], retries: {} },
    ]);
  });

  it('joins intervals in a long run and loses no row', async () => {
    const path = join(temporaryFolder(), timelineFile);
    const clock = createFakeClock();
    const timeline = new RunTimeline(clock, false);
    timeline.note(retry(503));
    for (let second = 0; second < 1000; second += 1) {
      timeline.progress(second * 3 + 3);
      await clock.advance(1000);
    }
    timeline.append(path);
    const [part] = readTimeline(path);
    expect(part?.seconds).toBe(8);
    expect(part?.rows).toHaveLength(125);
    expect(new Set(part?.rows)).toEqual(new Set([24]));
    expect(part?.retries['rate-limit 503']?.[0]).toBe(1);
  });
});
