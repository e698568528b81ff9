import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { CliIo } from './definition.js';
import { createLivingProgress } from './heartbeat.js';
import { Terminal } from './terminal.js';

const clear = '\r\u001b[K';

function scene({ isTTY = true, env = {} }: { isTTY?: boolean; env?: CliIo['env'] } = {}) {
  const written: string[] = [];
  const stream = (columns: number) => ({
    write: (text: string) => written.push(text),
    isTTY,
    columns,
  });
  const terminal = new Terminal({ stdout: stream(100), stderr: stream(60), env });
  return { terminal, written };
}

describe('Terminal', () => {
  it('knows terminals, CI, NO_COLOR, dumb terminals and the width', () => {
    expect(scene().terminal).toMatchObject({ isTerminal: true, color: true, width: 60 });
    expect(scene({ env: { CI: 'true' } }).terminal).toMatchObject({
      isTerminal: false,
      color: false,
      resultColor: false,
    });
    expect(scene({ env: { CI: 'false' } }).terminal.isTerminal).toBe(true);
    expect(scene({ env: { NO_COLOR: '1' } }).terminal).toMatchObject({
      isTerminal: true,
      color: false,
    });
    expect(scene({ env: { TERM: 'dumb' } }).terminal.isTerminal).toBe(false);
    expect(scene({ isTTY: false }).terminal).toMatchObject({ isTerminal: false, color: false });
    const bare = new Terminal({ stdout: { write: () => 0 }, stderr: { write: () => 0 }, env: {} });
    expect(bare.width).toBe(80);
  });

  it('clears the progress line before anything else is written', () => {
    const { terminal, written } = scene();
    terminal.progressStream.write(`${clear}epoch 1`);
    terminal.remark('note');
    terminal.progressStream.write(`${clear}epoch 2`);
    terminal.result('result');
    terminal.remark('end\n');
    expect(written.join('')).toBe(
      `${clear}epoch 1${clear}note\n${clear}epoch 2${clear}result\nend\n`,
    );
  });

  it('lets a line of the result grow, and leaves it before it writes elsewhere', () => {
    const { terminal, written } = scene();
    for (const part of ['Once', ' upon', ' a time']) terminal.resultPart(part);
    terminal.result('');
    terminal.resultPart('In');
    terminal.remark('saving ...');
    expect(written).toEqual(['Once', ' upon', ' a time', '\n', 'In', '\n', 'saving ...\n']);
  });

  it('completes a line that was begun', () => {
    const { terminal, written } = scene();
    terminal.begin('saving ... ');
    terminal.remark('saved');
    terminal.begin('saving ... ');
    terminal.progressStream.write('epoch 3\n');
    terminal.remark('saved');
    expect(written.join('')).toBe('saving ... saved\nsaving ... \nepoch 3\nsaved\n');
  });
});

describe('signs of life', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function living(isTTY: boolean, quiet = false) {
    const { terminal, written } = scene({ isTTY });
    const now = (): number => Date.now();
    const progress = createLivingProgress({ terminal, quiet, title: 'demo train', now });
    return { progress, written };
  }

  it('appear on a terminal before two silent seconds are over', () => {
    const { progress, written } = living(true);
    vi.advanceTimersByTime(1999);
    expect(written).toEqual([`${clear}demo train  2 s`]);
    progress.update('epoch 1');
    vi.advanceTimersByTime(1400);
    expect(written).toEqual([`${clear}demo train  2 s`, `${clear}epoch 1`]);
    vi.advanceTimersByTime(3600);
    expect(written.at(-1)).toBe(`${clear}epoch 1  5 s`);
    progress.stop();
    const count = written.length;
    vi.advanceTimersByTime(60_000);
    expect(written).toHaveLength(count);
  });

  it('are one line at first, then one each 30 s elsewhere', () => {
    const { progress, written } = living(false);
    vi.advanceTimersByTime(2000);
    expect(written).toEqual(['demo train: working\n']);
    vi.advanceTimersByTime(27_000);
    expect(written).toHaveLength(1);
    vi.advanceTimersByTime(4000);
    expect(written[1]).toMatch(/^demo train {2}\d+ s and still working\n$/);
    progress.stop();
  });

  it('name a stage elsewhere only once it lasts 1.5 s', () => {
    const { progress, written } = living(false);
    progress.update('reading');
    vi.advanceTimersByTime(1000);
    progress.update('epoch 1', 0.1);
    expect(written).toEqual(['epoch 1\n']);
    progress.done();
    progress.update('writing');
    vi.advanceTimersByTime(2000);
    expect(written).toEqual(['epoch 1\n', 'writing\n']);
    progress.stop();
  });

  it('stay away when something was said and under --quiet', () => {
    const { progress, written } = living(false);
    progress.update('epoch 1', 0.1);
    vi.advanceTimersByTime(20_000);
    expect(written).toEqual(['epoch 1\n']);
    progress.stop();
    const silent = living(true, true);
    vi.advanceTimersByTime(100_000);
    expect(silent.written).toEqual([]);
    silent.progress.stop();
  });
});
