import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRun } from '@lab/core';
import { readCsv } from '@lab/core/csv';
import { temporaryFolder } from '@lab/core/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csvTable } from '../../src/exports/csv.js';
import type { ExportedRow, ExportedRun } from '../../src/exports/exported-run.js';
import { junitXml } from '../../src/exports/junit.js';
import { parseXml, type XmlElement } from '../strict-xml.js';

const dir = temporaryFolder();
const { record } = createRun({
  ...{ parent: dir, dir: join(dir, 'run'), method: 'llm', label: 'a "b" <c>', seed: 0 },
  ...{ command: [], config: {} },
});

/** Text with everything that has a meaning in the formats, halves of pairs and controls too. */
const nasty = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom(...'<>&"\'\r\n\t,;= +-@]]>\u0000\u001b\ud800\udc00\ufffe') }),
);

const rowOf = (text: fc.Arbitrary<string>): fc.Arbitrary<ExportedRow> =>
  fc
    .record({
      id: text,
      status: fc.constantFrom('ok', 'refusal', 'length', 'server'),
      text,
      problem: fc.option(text),
      score: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
      milliseconds: fc.option(fc.nat(100_000)),
      field: text,
    })
    .map(({ field, ...row }) => ({
      ...row,
      isFailed: row.status === 'server',
      isPass: row.status === 'ok' && (row.score ?? 1) >= 0.5,
      output: row.text,
      fields: { id: row.id, field },
      ...{ messages: null, target: null, costUsd: null, attempts: 1, requestHash: 'ab' },
      usage: { prompt: 1, completion: 2, cached: 0, reasoning: 0 },
    }));

const runOf = (rows: readonly ExportedRow[]): ExportedRun => ({
  ...{ record, model: '<tiny> & "co"', servedModel: null, rows, scoreName: 'score' },
});

/** What XML cannot hold gives way to a sign for it. */
const inXml = (text: string): string =>
  text.replaceAll(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd');

const suiteAttributes = {
  required: [
    'name',
    'id',
    'package',
    'hostname',
    'timestamp',
    'tests',
    'failures',
    'errors',
    'time',
  ],
  optional: ['skipped'],
};

/** What both schemas ask: elements in this order, and these attributes only. */
function checkSuite(root: XmlElement): XmlElement[] {
  expect([root.name, root.attributes]).toEqual(['testsuites', {}]);
  const [suite, ...others] = root.children;
  expect(others).toEqual([]);
  const { name, attributes, children } = suite!;
  expect(name).toBe('testsuite');
  const given = Object.keys(attributes).filter((key) => !suiteAttributes.optional.includes(key));
  expect(given.sort()).toEqual([...suiteAttributes.required].sort());
  expect(attributes['timestamp']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/u);
  expect(attributes['time']).toMatch(/^\d+\.\d{3}$/u);
  const names = children.map((child) => child.name);
  const cases = children.slice(1, -2);
  expect([names[0], ...names.slice(-2)]).toEqual(['properties', 'system-out', 'system-err']);
  for (const one of cases) {
    expect(one.name).toBe('testcase');
    expect(Object.keys(one.attributes).sort()).toEqual(['classname', 'name', 'time']);
    expect(one.children.length).toBeLessThanOrEqual(1);
    for (const child of one.children) {
      expect(['error', 'failure']).toContain(child.name);
      expect(Object.keys(child.attributes).sort()).toEqual(['message', 'type']);
      expect(child.children).toEqual([]);
    }
  }
  for (const kind of ['failure', 'error']) {
    const count = cases.filter((one) => one.children[0]?.name === kind).length;
    expect(attributes[`${kind}s`]).toBe(String(count));
  }
  expect(attributes['tests']).toBe(String(cases.length));
  return cases;
}

describe('JUnit XML', () => {
  it('is well-formed and fits both schemas whatever the texts are, and gives them back', () => {
    fc.assert(
      fc.property(fc.array(rowOf(nasty), { maxLength: 5 }), (rows) => {
        const cases = checkSuite(parseXml([...junitXml(runOf(rows))].join('')));
        for (const [index, row] of rows.entries()) {
          expect(cases[index]?.attributes['name']).toBe(inXml(row.id));
          const [problem] = cases[index]!.children;
          expect(problem === undefined).toBe(row.isPass);
          if (problem !== undefined && row.text !== '') expect(problem.text).toBe(inXml(row.text));
        }
      }),
    );
  });
});

describe('CSV', () => {
  const text = nasty.map((value) => Buffer.from(value.replaceAll('\0', '')).toString('utf8'));

  it('read back gives every text, id and number', async () => {
    const path = join(dir, 'table.csv');
    await fc.assert(
      fc.asyncProperty(fc.array(rowOf(text), { minLength: 1, maxLength: 5 }), async (rows) => {
        writeFileSync(path, [...csvTable(runOf(rows), { isRaw: true })].join(''));
        const found: string[][] = [];
        await readCsv(path, { delimiter: ',', header: true }, (row) => found.push(row));
        expect(found.map(([id, status, output]) => [id, status, output])).toEqual(
          rows.map((row) => [row.id, row.status, row.text]),
        );
        expect(found.map((row) => row.at(-1))).toEqual(rows.map((row) => row.fields['field']));
        expect(found.map((row) => Number(row[12] === '' ? Number.NaN : row[12]))).toEqual(
          rows.map((row) => row.milliseconds ?? Number.NaN),
        );
      }),
    );
  });

  it('gives a spreadsheet no formula', async () => {
    fc.assert(
      fc.property(rowOf(text), (row) => {
        const [, line = ''] = [...csvTable(runOf([row]))];
        for (const cell of [row.id, row.text]) {
          if (!/^[=@\t\r]/u.test(cell)) continue;
          expect(line).toContain(`'${cell.replaceAll('"', '""')}`);
        }
      }),
    );
  });
});
