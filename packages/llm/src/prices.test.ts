import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createPriceTable, readPrices } from './prices.js';

const usage = {
  prompt: 1_000_000,
  completion: 500_000,
  cached: 400_000,
  reasoning: 100_000,
  isEstimated: false,
};
const table = createPriceTable({
  date: '2026-08-01',
  models: {
    'big-*': { in: 2, out: 8, cachedIn: 0.5, batchFactor: 0.5 },
    'big-mini*': { in: 1, out: 2 },
    'big-mini-1': { in: 7, out: 7 },
    'local/*/chat': { in: 0, out: 0 },
    'eu-*': { in: 1, out: 1, currency: 'EUR' },
  },
});

describe('createPriceTable', () => {
  it('prices prompt, cached prompt and answer', () => {
    // 0.6 M at 2, 0.4 M at 0.5, 0.5 M at 8
    expect(table.costUsd('big-9', usage)).toBeCloseTo(1.2 + 0.2 + 4, 12);
    expect(table.costUsd('big-9', usage, { isBatch: true })).toBeCloseTo(2.7, 12);
    expect(table.costUsd('big-mini-2', usage)).toBeCloseTo(2, 12);
  });

  it('takes the exact name, then the longest pattern', () => {
    expect(table.priceOf('big-mini-1')!.in).toBe(7);
    expect(table.priceOf('big-mini-9')!.in).toBe(1);
    expect(table.priceOf('local/a/b/chat')!.in).toBe(0);
    expect(table.priceOf('local/chat')).toBeNull();
  });

  it('has null and not 0 where no price is known', () => {
    expect(table.costUsd('other', usage)).toBeNull();
    expect(table.cost('other', usage)).toBeNull();
    expect(table.priceOf('toString')).toBeNull();
    expect(table.costUsd('eu-1', usage)).toBeNull();
    expect(table.cost('eu-1', usage)).toEqual({ amount: 1.5, currency: 'EUR' });
  });

  it('refuses other forms', () => {
    const bad = { date: '2026-08-01', models: { x: { in: -1, out: 1 } } };
    expect(() => createPriceTable(bad)).toThrow(/models\.x\.in of prices/);
    expect(() => createPriceTable({ date: 'today', models: {} })).toThrow(/date of prices/);
  });
});

describe('readPrices', () => {
  it('reads a file and names it in errors', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lab-prices-'));
    const file = join(folder, 'prices.json');
    writeFileSync(file, '{"date":"2026-08-01","models":{"*":{"in":1,"out":1}}}');
    expect((await readPrices(file)).date).toBe('2026-08-01');
    writeFileSync(file, '{');
    await expect(readPrices(file)).rejects.toThrow(file);
    await expect(readPrices(join(folder, 'none.json'))).rejects.toThrow(/ENOENT/);
    rmSync(folder, { recursive: true });
  });
});
