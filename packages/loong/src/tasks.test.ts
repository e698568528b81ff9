import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { requireCondition } from '@lab/core/testing';
import { describe, expect, it } from 'vitest';
import { type LoongRecord, readRecords } from './record.js';
import { selectRecords } from './select.js';
import { lengthStatistics } from './statistics.js';
import { levels, setOfLength, subtaskOf, taskNames } from './tasks.js';

const record = (fields: Partial<LoongRecord>): LoongRecord => ({
  ...{ id: 'a', level: 2, set: 1, length: 1, type: 'financial', language: 'en', question: '' },
  ...{ instruction: '', prompt_template: '{docs}', doc: ['x'], answer: '', shuffle_doc: true },
  ...fields,
});

describe('subtaskOf', () => {
  it.each([
    [{ level: 1 }, 'spotlight'],
    [{ question: 'Which company has the highest profit?' }, 'extremum-acquisition'],
    [{ question: '请列举上述每个公司的利润' }, 'sequential-enumeration'],
    [{ question: 'What is the median profit?' }, 'range-awareness'],
    [{ type: 'legal', question: '这些判决文书中，哪几篇' }, 'range-awareness'],
    [{ type: 'legal', question: '案由为' }, 'sequential-enumeration'],
    [{ level: 3 }, 'report-integration'],
    [{ level: 3, type: 'paper' }, 'citation-reference'],
    [{ level: 3, type: 'legal' }, 'case-classification'],
    [{ level: 4 }, 'temporal-analysis'],
    [{ level: 4, type: 'paper' }, 'citation-chain'],
    [{ level: 4, type: 'legal', question: '我将给你若干份判决结果' }, 'link-the-links'],
    [{ level: 4, type: 'legal', question: '排序' }, 'solitaire'],
    [{ level: 4, subtask: 'trend' as never }, 'trend'],
  ] as const)('of %j is %s', (fields, subtask) => {
    expect(subtaskOf(record(fields))).toBe(subtask);
  });
});

describe('setOfLength', () => {
  it('begins each set at its first length', () => {
    expect([0, 49_999, 50_000, 100_000, 199_999, 200_000, 1e6].map(setOfLength)).toEqual([
      ...[1, 1, 2, 3, 3, 4, 4],
    ]);
  });
});

const full = join(process.env['LAB_DATA'] ?? '', 'loong', 'loong.jsonl.gz');

const isThere = requireCondition('data', existsSync(full));

describe.skipIf(!isThere)('the released questions (needs data)', () => {
  it('have the counts of the paper', async () => {
    const records = await readRecords(full);
    const count = (keep: (one: LoongRecord) => boolean) => records.filter(keep).length;
    expect(records).toHaveLength(1600);
    expect(new Set(records.map(({ id }) => id)).size).toBe(1600);
    expect(count(({ language }) => language === 'zh')).toBe(905);
    expect([1, 2, 3, 4].map((set) => count((one) => one.set === set))).toEqual([
      323, 564, 481, 232,
    ]);
    expect([1, 2, 3, 4].map((level) => count((one) => one.level === level))).toEqual([
      ...[250, 300, 641, 409],
    ]);
    expect(
      ['financial', 'legal', 'paper'].map((type) => count((one) => one.type === type)),
    ).toEqual([700, 500, 400]);
    const table = Object.fromEntries(
      [...new Set(records.map(subtaskOf))].map((subtask) => [
        subtask,
        [1, 2, 3, 4].map((set) => count((one) => one.set === set && subtaskOf(one) === subtask)),
      ]),
    );
    expect(table).toEqual({
      spotlight: [53, 70, 80, 47],
      'sequential-enumeration': [24, 29, 20, 14],
      'extremum-acquisition': [16, 55, 59, 13],
      'range-awareness': [20, 21, 16, 13],
      'report-integration': [40, 90, 90, 30],
      'citation-reference': [37, 120, 79, 34],
      'case-classification': [36, 36, 25, 24],
      'temporal-analysis': [10, 40, 35, 15],
      'citation-chain': [33, 50, 41, 6],
      'link-the-links': [35, 25, 28, 25],
      solitaire: [19, 28, 8, 11],
    });
    const histogram = Array.from({ length: 10 }, (_, bin) =>
      count(({ length }) => Math.min(9, Math.floor(length / 30_000)) === bin),
    );
    expect(histogram).toEqual([60, 356, 383, 256, 148, 109, 87, 130, 56, 15]);
    expect(records.reduce((sum, { length }) => sum + length, 0)).toBeGreaterThan(175.8e6);
    const planned = (limit: number) =>
      records.reduce((sum, { length }) => sum + Math.min(length, limit), 0) / 1e6;
    expect([128_000, 32_000, 123_904, 27_904].map((limit) => planned(limit).toFixed(1))).toEqual([
      ...['142.8', '50.7', '140.8', '44.4'],
    ]);
    const statistics = new Map(lengthStatistics(records).map((one) => [one.name, one]));
    const thousands = (name: string) => (statistics.get(name)!.meanTokens / 1000).toFixed(1);
    expect(['set 1', 'set 2', 'set 3', 'set 4'].map(thousands)).toEqual([
      ...['37.8', '75.6', '138.9', '233.9'],
    ]);
    expect(levels.map((level) => thousands(taskNames[level]))).toEqual([
      ...['119.3', '110.6', '109.8', '103.9'],
    ]);
    expect(['financial', 'legal', 'paper'].map(thousands)).toEqual(['117.3', '107.0', '100.6']);
    expect(statistics.get('set 4')).toMatchObject({
      ...{ zh: 130, en: 102, leastTokens: 200_021, mostTokens: 335_708 },
    });
    expect(Math.round(statistics.get('all')!.meanTokens)).toBe(109_929);
    const mini = selectRecords(records, { subset: 'mini' });
    expect(mini).toHaveLength(160);
    expect(new Set(mini.map(subtaskOf)).size).toBe(11);
    const fromPart = selectRecords(records.toReversed(), { subset: 'mini' });
    expect(new Set(fromPart.map(({ id }) => id))).toEqual(new Set(mini.map(({ id }) => id)));
  });
});
