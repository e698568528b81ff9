import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readCsv, writeCsv } from '@lab/core/csv';
import { temporaryFolder } from '@lab/core/testing';
import { type FakeServer, startFakeServer } from '@lab/llm/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { calibrateTau, scoredSamples } from '../../src/calibrate.js';
import { evaluateJudgements } from '../../src/evaluate.js';
import { readJudgedSamples } from '../../src/read-run.js';
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

  test('tau is of the scores that the run decides by; a vote has none', async () => {
    const [last, vote] = [folder(), folder()];
    // In the discussion all scores are equal, so that the last layer alone says tie of every pair.
    const even = 'Score of Assistant 1: 6\nScore of Assistant 2: 6';
    server.useScript({
      rules: [
        { do: 'table', by: 'contains', answers: { 'Your earlier evaluations': even } },
        ...judgeScript.rules!,
      ],
    });
    expect((await judge(last, '--set', 'aggregation.scope=last')).code).toBe(0);
    const ids = join(temporaryFolder(), 'ids.txt');
    writeFileSync(ids, 'p0\np1\np2\np3\np4\np5\n');
    const flags = ['--calibrate', '--dev', ids, '--resamples', '100'];
    const samples = await readJudgedSamples(last);
    const [development, test] = [samples.slice(0, 6), samples.slice(6)];
    const confusionOf = (scope: 'all' | 'last') => {
      const { tau: value } = calibrateTau(scoredSamples(development, scope));
      const options = { resamples: 100, tau: { value, scope } };
      return evaluateJudgements(test, options).agreement!.overall.confusion;
    };
    const { code, stdout, stderr } = await runProgram('evaluate', last, ...flags, '--json');
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout).metrics.confusion).toEqual(confusionOf('last'));
    expect(confusionOf('last')).not.toEqual(confusionOf('all'));
    expect((await judge(vote, '--set', 'aggregation.primary=vote')).code).toBe(0);
    const refused = await runProgram('evaluate', vote, ...flags);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('by vote')]);
  });

  test('pairs that could not be judged count as wrong, and go out to people', async () => {
    const [out, csv] = [folder(), join(temporaryFolder(), 'a.csv')];
    const long = join(temporaryFolder(), 'long.csv');
    writeFileSync(long, `${readFileSync(data, 'utf8')}pl,${'word '.repeat(9000)},One,Two,1,a,b\n`);
    const narrow = ['data.contextTokens=4000', 'data.truncate=false', 'network.layers=1'].flatMap(
      (set) => ['--set', set],
    );
    const flags = ['--data', long, '--out', out, ...asked(), ...quick, ...narrow, '--json'];
    const { code, stdout, stderr } = await runProgram('judge', ...flags);
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout).metrics).toMatchObject({ n: 13, unjudged: 1 });
    await runProgram('annotate', out, '--share', '0.1', '--out', csv);
    expect(readFileSync(csv, 'utf8')).toMatch(/^pl,/m);
    const page = await runProgram('report', out, '--sample', 'pl');
    expect(readFileSync(page.stdout.trim(), 'utf8')).not.toContain('It took no model');
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
