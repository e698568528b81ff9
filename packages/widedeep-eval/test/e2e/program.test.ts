import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readCsv, writeCsv } from '@lab/core/csv';
import { temporaryFolder } from '@lab/core/testing';
import { type FakeServer, startFakeServer } from '@lab/llm/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { judgeScript, runProgram, writePairs } from './run-program.js';

let server: FakeServer;
const data = writePairs();
const prices = join(temporaryFolder(), 'prices.json');
const whole = join(temporaryFolder(), 'whole');

beforeAll(async () => {
  server = await startFakeServer({ script: judgeScript });
  writeFileSync(
    prices,
    JSON.stringify({ date: '2026-08-01', models: { 'fake-model': { in: 1, out: 4 } } }),
  );
  const { code, stderr } = await judge(whole);
  expect(code, stderr).toBe(0);
});
afterAll(() => server.close());
beforeEach(() => server.useScript(judgeScript));

const asked = () => ['--base-url', server.url, '--model', 'fake-model', '--cache', 'off'];
const quick = ['--set', 'evaluation.resamples=100'];
const judge = (out: string, ...more: readonly string[]) =>
  runProgram('judge', '--data', data, '--out', out, ...asked(), ...quick, ...more);
const folder = () => join(temporaryFolder(), 'run');

test('plan asks nothing and is what a run asks', async () => {
  server.reset();
  const { code, stdout } = await runProgram(
    ...['plan', '--data', data, ...asked(), '--prices', prices, '--expected-roles', '2', '--json'],
  );
  expect([code, server.counters.received]).toEqual([0, 0]);
  const { plan } = JSON.parse(stdout);
  expect(plan).toMatchObject({ samples: 12, calls: 108, callsPerSample: { expected: 9 } });
  const shown = await runProgram('plan', '--data', data, ...asked());
  expect(shown.stdout).toMatch(/calls for a pair +21 with 5 judges; 9 to 33/);
});

describe('baselines', () => {
  test.each([
    ['single', 1],
    ['mec', 3],
    ['mec+bpc', 6],
  ])('%s: %i calls a pair', async (name, calls) => {
    server.reset();
    const out = folder();
    const { code } = await runProgram(
      'baseline',
      name,
      '--data',
      data,
      '--out',
      out,
      ...asked(),
      ...quick,
    );
    expect([code, server.counters.received]).toEqual([0, 12 * calls]);
  });

  test('rules ask no model', async () => {
    const out = folder();
    const { code, stdout } = await runProgram(
      'baseline',
      'always-1',
      '--data',
      data,
      '--out',
      out,
      '--json',
    );
    expect(code).toBe(0);
    expect(JSON.parse(stdout).metrics.accuracy.value).toBeCloseTo(1 / 3, 12);
  });

  test('an unknown one is an error with the nearest', async () => {
    const { code, stderr } = await runProgram(
      'baseline',
      'mec+bcp',
      '--data',
      data,
      '--out',
      folder(),
    );
    expect([code, stderr]).toEqual([2, expect.stringContaining('did you mean mec+bpc?')]);
  });
});

describe('evaluate', () => {
  test('a gate that is not passed ends with 8', async () => {
    const { code, stderr } = await runProgram('evaluate', whole, '--fail-under', 'kappa=0.99');
    expect([code, stderr]).toEqual([8, expect.stringMatching(/kappa is .*, below 0.99/)]);
    expect((await runProgram('evaluate', whole, '--fail-under', 'judged-share=1')).code).toBe(0);
  });

  test('against another run it tests the difference', async () => {
    const other = folder();
    await runProgram('baseline', 'always-2', '--data', data, '--out', other);
    const { code, stdout } = await runProgram('evaluate', whole, '--against', other);
    expect(code).toBe(0);
    expect(stdout).toMatch(/minus .*, 12 pairs that both have/);
    expect(stdout).toMatch(/McNemar/);
  });

  test('tau is chosen on some pairs and measured on the others', async () => {
    const { code, stdout } = await runProgram(
      'evaluate',
      whole,
      '--calibrate',
      '--dev-share',
      '0.5',
    );
    expect(code, stdout).toBe(0);
    expect(stdout).toMatch(/tau +\.\d+: chosen on \d+ development pairs/);
    const none = await runProgram('evaluate', whole, '--calibrate');
    expect([none.code, none.stderr]).toEqual([
      2,
      expect.stringContaining('needs development pairs'),
    ]);
    const ids = join(temporaryFolder(), 'ids.txt');
    writeFileSync(ids, Array.from({ length: 12 }, (_, at) => `p${at}`).join('\n'));
    const all = await runProgram('evaluate', whole, '--calibrate', '--dev', ids);
    expect([all.code, all.stderr]).toEqual([
      2,
      expect.stringContaining('12 development samples and 0'),
    ]);
  });

  test('stored verdicts need the pairs', async () => {
    const verdicts = join(temporaryFolder(), 'verdicts.csv');
    writeFileSync(verdicts, 'id,verdict\np0,1\np1,2\n');
    const { code, stdout } = await runProgram('evaluate', verdicts, '--data', data);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/pairs judged +2 of 12/)]);
    expect((await runProgram('evaluate', verdicts)).code).toBe(2);
    expect((await runProgram('evaluate', 'nowhere')).code).toBe(3);
  });
});

test('pairs go out to people and come back', async () => {
  const [csv, page] = [join(temporaryFolder(), 'a.csv'), join(temporaryFolder(), 'a.html')];
  const { code, stdout } = await runProgram(
    ...['annotate', whole, '--share', '0.5', '--out', csv, '--page', page, '--arms'],
  );
  expect([code, stdout]).toEqual([0, expect.stringContaining('6 pairs, least certain first')]);
  expect(readFileSync(page, 'utf8')).toContain('equally good');
  const rows: string[][] = [];
  await readCsv(csv, { header: false }, (row) => rows.push(row));
  const [heading = [], ...questions] = rows;
  expect(questions).toHaveLength(6);
  await writeCsv(
    csv,
    heading,
    questions.map((row) => [...row.slice(0, -3), '1', 'Ada', '10']),
  );
  const back = await runProgram('evaluate', whole, '--annotations', csv, '--wage', '36');
  expect(back.code, back.stderr).toBe(0);
  expect(back.stdout).toMatch(/people are +labels/);
});

test('systems are ranked', async () => {
  const out = join(temporaryFolder(), 'r.csv');
  const { code, stdout } = await runProgram('rank', whole, '--gold', '--out', out);
  expect(code).toBe(0);
  expect(stdout).toMatch(/from 12 verdicts/);
  expect(readFileSync(out, 'utf8').split('\n')[0]).toBe(
    'rank,system,strength,low,high,win rate,pairs',
  );
  expect((await runProgram('rank')).code).toBe(2);
});

test('the page of one pair, and of a pair that there is not', async () => {
  const { code, stdout } = await runProgram('report', whole, '--sample', 'p3');
  expect(code).toBe(0);
  const html = readFileSync(stdout.trim(), 'utf8');
  for (const text of [
    'Who prefers what',
    'Layer 2: discussion',
    'Question 3?',
    'All four aggregations',
  ]) {
    expect(html).toContain(text);
  }
  const none = await runProgram('report', whole, '--sample', 'p99');
  expect([none.code, none.stderr]).toEqual([
    3,
    expect.stringContaining('no pair has the id "p99"'),
  ]);
});

describe('what is wrong is said', () => {
  test.each([
    [['judge', '--out', 'x'], 2, /--data PATH is missing/],
    [['judge', '--data', 'nowhere.csv', '--out', 'x'], 3, /nowhere.csv: no such file/],
    [['judge', '--data', data], 2, /--out DIR is missing/],
    [['judge', '--data', data, '--out', 'x'], 2, /--model NAME is missing/],
    [['judge', '--data', data, '--out', 'x', '--model', 'm'], 2, /--base-url URL is missing/],
    [['judge', '--data', data, '--out', 'x', '--modle', 'm'], 2, /did you mean --model/],
    [['judge', '--data', data, '--out', 'x', '--preset', 'chaep'], 2, /did you mean cheap/],
    [['judge', '--data', data, '--out', 'x', '--set', 'network.layer=2'], 2, /network.layers/],
    [['judge', '--data', data, '--out', 'x', '--fail-under', 'kapa=1'], 2, /did you mean kappa/],
    [['judge', '--data', data, '--out', 'x', '--slice', '5'], 2, /--slice "5" is no range/],
    [['judge', '--data', data, '--out', 'x', '--format', 'xml'], 2, /--format "xml"/],
    [['check', '--data', data, '--family', 'sumary'], 2, /did you mean summary/],
    [['report', 'nowhere'], 3, /no predictions/],
  ])('%j ends with %i', async (argv, code, message) => {
    const printed = await runProgram(...argv);
    expect([printed.code, printed.stderr]).toEqual([code, expect.stringMatching(message)]);
  });

  test('a budget in dollars needs prices', async () => {
    const { code, stderr } = await judge(folder(), '--budget-usd', '1');
    expect([code, stderr]).toEqual([2, expect.stringContaining('needs prices')]);
  });

  test('check lists all defects at once', async () => {
    const path = join(temporaryFolder(), 'x.jsonl');
    writeFileSync(path, '{"answer1":"a"}\nno json\n{"answer1":"a","answer2":"b","gold":"x"}\n');
    const { code, stdout } = await runProgram('check', '--data', path);
    expect(code).toBe(3);
    expect(stdout).toMatch(/known as answer b[\s\S]*line 2[\s\S]*line 3/);
  });
});

test('check tells data sets, floors and the machine', async () => {
  const { stdout } = await runProgram('check', '--data', data);
  expect(stdout).toMatch(/pairs +qa +12 +4 +4 +4/);
  expect(stdout).toMatch(/always answer 1 +\.3333/);
  expect((await runProgram('check', '--env')).stdout).toMatch(/@lab\/widedeep-eval/);
});

test('config explains each value', async () => {
  const { stdout } = await runProgram('config', '--mode', 'official', '--explain');
  expect(stdout).toMatch(/network.connectivity +"window" +mode official/);
});

test('several runs are set side by side on one page', async () => {
  const dirs = [folder(), folder(), folder()];
  const presets = ['single', 'always-1', 'mec+bpc'];
  for (const [at, out] of dirs.entries()) {
    const flags = ['--data', data, '--out', out, ...asked(), ...quick];
    await runProgram('baseline', presets[at]!, ...flags);
  }
  const out = join(temporaryFolder(), 'both');
  const deep = folder();
  expect((await judge(deep, '--set', 'network.layers=1')).code).toBe(0);
  const all = [whole, deep, ...dirs];
  const { code, stdout, stderr } = await runProgram('report', ...all, '--out', out);
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/agrees best with people, kappa/);
  const html = readFileSync(join(out, 'report.html'), 'utf8');
  for (const title of ['Agreement with people', 'Agreement by number of layers']) {
    expect(html).toContain(title);
  }
  for (const title of ['What agreement costs', 'Verdicts that change with the order']) {
    expect(html).toContain(title);
  }
  const rows = JSON.parse(readFileSync(join(out, 'comparison.json'), 'utf8')) as unknown[];
  expect(rows).toHaveLength(5);
  expect((await runProgram('report')).code).toBe(2);
});

test('systems are ranked as if their answers were equally long', async () => {
  const { code, stdout } = await runProgram('rank', whole, '--equal-length', '--resamples', '50');
  expect(code).toBe(0);
  expect(stdout).toMatch(/at equal length[\s\S]*length: -?\d\.\d{3} \(/);
});
