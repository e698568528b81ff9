import { describe, expect, it } from 'vitest';
import { describeEnvironment } from './environment.js';
import { silentLogger } from './logger.js';
import { createProgress, type Progress } from './progress.js';

interface Scene {
  readonly progress: Progress;
  readonly written: string[];
  pass(milliseconds: number): void;
}

function scene(options: { isTerminal: boolean; quiet?: boolean; width?: number }): Scene {
  let time = 1000;
  const written: string[] = [];
  const progress = createProgress({
    stream: { write: (text) => written.push(text) },
    isTerminal: options.isTerminal,
    width: options.width ?? 80,
    quiet: options.quiet ?? false,
    now: () => time,
  });
  return {
    progress,
    written,
    pass: (milliseconds) => {
      time += milliseconds;
    },
  };
}

const clear = '\r\u001b[K';

describe('progress on a terminal', () => {
  it('rewrites one line at most ten times a second', () => {
    const { progress, written, pass } = scene({ isTerminal: true });
    progress.update('epoch 1', 0.1);
    pass(99);
    progress.update('epoch 2', 0.2);
    pass(1);
    progress.update('epoch 3', 0.3);
    progress.update('epoch 4', 1);
    expect(written).toEqual([`${clear}epoch 1`, `${clear}epoch 3`, `${clear}epoch 4`]);
    progress.done('trained');
    expect(written.at(-2)).toBe(clear);
    expect(written.at(-1)).toBe('trained\n');
  });

  it('cuts the line to the width and keeps it one line', () => {
    const { progress, written } = scene({ isTerminal: true, width: 12 });
    progress.update('long\nline of text');
    expect(written).toEqual([`${clear}long lin...`]);
    progress.done();
    progress.done();
    expect(written).toHaveLength(2);
  });
});

describe('progress elsewhere', () => {
  it('writes a line each 10 % or 30 s and no carriage return', () => {
    const { progress, written, pass } = scene({ isTerminal: false });
    for (let epoch = 0; epoch <= 100; epoch += 1) {
      progress.update(`epoch ${epoch}`, epoch / 100);
      pass(epoch < 50 ? 10 : 0);
    }
    expect(written).toHaveLength(11);
    expect(written[1]).toBe('epoch 10\n');
    pass(30_000);
    progress.update('epoch 100 again', 1);
    expect(written.at(-1)).toBe('epoch 100 again\n');
    progress.done('done');
    expect(written.at(-1)).toBe('done\n');
    expect(written.join('')).not.toContain('\r');
  });

  it('writes the first line of each stage at once', () => {
    const { progress, written } = scene({ isTerminal: false });
    progress.update('read', 0.05);
    progress.update('read', 0.06);
    progress.done();
    progress.update('train', 0.05);
    progress.update('train without share');
    expect(written).toEqual(['read\n', 'train\n']);
  });
});

describe('quiet', () => {
  it.each([true, false])('writes nothing (terminal: %s)', (isTerminal) => {
    const { progress, written } = scene({ isTerminal, quiet: true });
    progress.update('x', 0.5);
    progress.done('y');
    expect(written).toEqual([]);
  });

  it('logger says nothing', () => {
    for (const level of ['info', 'warn', 'debug'] as const) {
      expect(silentLogger[level]('x')).toBeUndefined();
    }
  });
});

describe('describeEnvironment', () => {
  it('names versions and machine', () => {
    const environment = describeEnvironment();
    expect(environment.node).toBe(process.versions.node);
    expect(environment.cores).toBeGreaterThan(0);
    expect(environment.memoryBytes).toBeGreaterThan(1e6);
    expect(environment).toMatchObject({ platform: process.platform, arch: process.arch });
  });
});
