import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { selectBackend } from '../backend.js';
import { createHostAdamW } from './host-adamw.js';
import { HostRows } from './host-rows.js';
import { readHostTable, writeHostTable } from './host-table-files.js';

let folder: string;
beforeAll(async () => {
  await selectBackend('wasm');
  folder = mkdtempSync(join(tmpdir(), 'lab-host-table-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function trained() {
  const table = new HostRows(
    5,
    2,
    Float32Array.from({ length: 10 }, (_, i) => i),
  );
  const optimizer = createHostAdamW(table);
  table.addGradientRows(Int32Array.of(3), Float32Array.of(1, -1));
  optimizer.step(0.1);
  return { table, optimizer };
}

function fresh() {
  const table = new HostRows(5, 2);
  return { table, optimizer: createHostAdamW(table) };
}

describe('writeHostTable and readHostTable', () => {
  it('keep values, moments and step count, in files of a few rows', async () => {
    const saved = trained();
    await writeHostTable(folder, saved, { shardBytes: 16 });
    expect(readdirSync(folder)).toContain('second-0002.npy');
    const loaded = fresh();
    await readHostTable(folder, loaded);
    expect(loaded.table.values).toEqual(saved.table.values);
    expect(loaded.optimizer.moments).toEqual(saved.optimizer.moments);
    expect(loaded.optimizer.stepCount).toBe(1);
  });

  it('read the values alone, and refuse moments that are not there', async () => {
    const saved = trained();
    await writeHostTable(folder, { table: saved.table, optimizer: null });
    const loaded = fresh();
    await readHostTable(folder, { table: loaded.table, optimizer: null });
    expect(loaded.table.values).toEqual(saved.table.values);
    await expect(readHostTable(folder, loaded)).rejects.toThrow(/no moments/);
  });

  it('refuse a folder that is incomplete, damaged, or of another table', async () => {
    const saved = trained();
    await writeHostTable(folder, saved);
    const other = { table: new HostRows(4, 2), optimizer: null };
    await expect(readHostTable(folder, other)).rejects.toThrow(/the table is 5 x 2, 4 x 2/);
    await expect(readHostTable(join(folder, 'none'), fresh())).rejects.toThrow(/is missing/);
    writeFileSync(join(folder, 'table.json'), '{');
    await expect(readHostTable(folder, fresh())).rejects.toThrow(/cannot be read/);
  });
});
