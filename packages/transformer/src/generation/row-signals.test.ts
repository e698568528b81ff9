import { getEventListeners } from 'node:events';
import { expect, it } from 'vitest';
import { RowSignals } from './row-signals.js';

/** A row, and the reasons for which it was finished. */
function createRow() {
  const reasons: string[] = [];
  let end: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const finish = (reason: string): void => {
    reasons.push(reason);
    end();
  };
  return { reasons, stream: { ended }, finish };
}

it('ends all rows of a signal that still go on, with one listener', async () => {
  const [first, second] = [new AbortController(), new AbortController()];
  const signals = new RowSignals();
  const rows = Array.from({ length: 20 }, createRow);
  for (const row of rows) signals.watch(row, first.signal);
  const other = createRow();
  signals.watch(other, second.signal);
  expect(getEventListeners(first.signal, 'abort')).toHaveLength(1);
  rows[0]!.finish('stop');
  await rows[0]!.stream.ended;
  first.abort();
  expect(rows.map(({ reasons }) => reasons)).toEqual([
    ['stop'],
    ...Array.from({ length: 19 }, () => ['aborted']),
  ]);
  expect(other.reasons).toEqual([]);
  expect(getEventListeners(first.signal, 'abort')).toHaveLength(0);
});

it('keeps no listener once all rows of a signal have ended', async () => {
  const { signal } = new AbortController();
  const signals = new RowSignals();
  const rows = [createRow(), createRow()];
  for (const row of rows) signals.watch(row, signal);
  for (const row of rows) row.finish('stop');
  await Promise.all(rows.map(({ stream }) => stream.ended));
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  const later = createRow();
  signals.watch(later, signal);
  expect(getEventListeners(signal, 'abort')).toHaveLength(1);
});
