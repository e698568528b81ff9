import { describe, expect, it } from 'vitest';
import { type Contestant, type MeasureOptions, measureInTurns } from './measure.js';

/** A contestant whose repetition lasts `ms` of a clock that stands still otherwise. */
function simulated() {
  let time = 0;
  const log: string[] = [];
  const contestant = (name: string, ms: number): Contestant => ({
    sample: (count) => {
      time += ms * count;
      log.push(`${name}${count}`);
      return Promise.resolve({ wallMs: ms, cpuMs: 2 * ms });
    },
  });
  const options: MeasureOptions = {
    ...{ rounds: 3, sampleMs: 40, warmMs: 0, pauseMs: 1, limitMs: 1000 },
    now: () => time,
    pause: (ms) => {
      time += ms;
      return Promise.resolve();
    },
  };
  return { log, contestant, options };
}

describe('measureInTurns', () => {
  it('warms up each, then samples all in every round', async () => {
    const { log, contestant, options } = simulated();
    const timings = await measureInTurns([contestant('a', 30), contestant('b', 50)], options);
    expect(log).toEqual(['a1', 'a1', 'b1', 'b1', 'a1', 'b1', 'a1', 'b1', 'a1', 'b1']);
    expect(timings).toEqual([
      { wallMs: 30, cpuMs: 60, minWallMs: 30, minCpuMs: 60, samples: 3 },
      { wallMs: 50, cpuMs: 100, minWallMs: 50, minCpuMs: 100, samples: 3 },
    ]);
  });

  it('repeats a short operation until a sample lasts', async () => {
    const { log, contestant, options } = simulated();
    await measureInTurns([contestant('a', 3)], options);
    expect(log).toEqual(['a1', 'a2', 'a4', 'a8', 'a8', 'a8', 'a8']);
  });

  it('warms up for as long as it is told, with samples of the same length', async () => {
    const { log, contestant, options } = simulated();
    await measureInTurns([contestant('a', 30)], { ...options, warmMs: 100, rounds: 1 });
    expect(log).toEqual(['a1', 'a1', 'a1', 'a1', 'a1']);
  });

  it('makes fewer rounds when the time ends, at least one', async () => {
    const { contestant, options } = simulated();
    const slow = [contestant('a', 600)];
    expect((await measureInTurns(slow, options))[0]).toMatchObject({ samples: 1 });
    const two = await measureInTurns([contestant('a', 450)], options);
    expect(two[0]).toMatchObject({ samples: 2 });
  });

  it('keeps the only run of what is too slow, beside full rounds of others', async () => {
    const { log, contestant, options } = simulated();
    const both = await measureInTurns([contestant('a', 2000), contestant('b', 50)], options);
    expect(both.map(({ wallMs, samples }) => [wallMs, samples])).toEqual([
      [2000, 1],
      [50, 3],
    ]);
    expect(log.filter((entry) => entry.startsWith('a'))).toHaveLength(1);
  });

  it('stops when the signal is aborted', async () => {
    const { contestant, options } = simulated();
    const signal = AbortSignal.abort();
    const run = measureInTurns([contestant('a', 30)], { ...options, signal });
    await expect(run).rejects.toThrow('aborted');
  });
});
