import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { run } from './__fixtures__/run-program.js';
import { program } from './program.js';

const dir = temporaryFolder();
const benchmark = join(dir, 'benchmark');
const data = join(benchmark, 'questions.jsonl');

beforeAll(async () => {
  const docs = join(dir, 'docs');
  mkdirSync(docs);
  for (let index = 1; index <= 8; index += 1) {
    const rows = `item,value,unit\nStaff,${37 * index},people\nRevenue,${(1000 * index) % 77},k\n`;
    writeFileSync(join(docs, `report ${index}.csv`), rows);
  }
  const args = ['build', '--docs', docs, '--out', benchmark, '--lengths', '400,600,800,1000'];
  const { code, stderr, stdout } = await run([...args, '--per-cell', '2']);
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/\d+ questions of 16 values in 8 documents/);
});

describe('help', () => {
  it.each(program.commands.map(({ name }) => name))(
    'of %s has an example of its own',
    async (name) => {
      const { code, stdout } = await run([name, '-h']);
      expect(code).toBe(0);
      expect(stdout).toContain(`loong ${name}`);
    },
  );
});

describe('what is wrong', () => {
  it.each([
    [['run', '--dat', 'x'], 2, /--data/],
    [['run', '--out', 'x', '--model', 'm'], 2, /--base-url URL is missing/],
    [['plan', '--model', 'm'], 2, /--data FILE is missing[\s\S]*help:/],
    [['check', '--data', 'nowhere.jsonl'], 3, /nowhere\.jsonl/],
    [['config', '--preset', 'window-12k'], 2, /unknown preset[\s\S]*window-\d+k/],
    [['evaluate', dir], 3, /run\.json/],
    [['judge', dir, '--model', 'm'], 3, /run\.json/],
    [['compare', dir], 2, /at least two runs/],
    [['build', '--docs', dir], 2, /--out DIR is missing/],
    [['build', '--docs', join(dir, 'x'), '--out', dir], 3, /no such folder/],
    [['assemble', '--data', 'x'], 2, /--out FILE is missing/],
    [['merge', dir, '--out', join(dir, 'y')], 3, /holds no shards/],
  ] as const)('%j ends with %i and says what to do', async (args, code, text) => {
    const { code: got, stderr } = await run(args);
    expect(stderr).toMatch(text);
    expect(got).toBe(code);
  });

  it('is told of questions and documents all at once', async () => {
    const broken = join(dir, 'broken.jsonl');
    const [first] = readFileSync(data, 'utf8').split('\n');
    writeFileSync(broken, `${first}\n${first}\n{"level": 9}\nno json\n`);
    const bad = await run(['check', '--data', broken]);
    expect(bad.code).toBe(3);
    expect(bad.stdout).toMatch(/line 2: the id .* line 1 already/);
    expect(bad.stdout).toMatch(/line 3: level/);
    expect(bad.stdout).toMatch(/line 4: not JSON/);
    const partial = join(dir, 'partial');
    mkdirSync(partial);
    const [one] = readFileSync(join(benchmark, 'docs.jsonl'), 'utf8').split('\n');
    writeFileSync(join(partial, 'docs.jsonl'), `${one}\n`);
    const lacking = await run(['check', '--data', data, '--docs', partial]);
    expect(lacking.code).toBe(3);
    expect(lacking.stderr).toMatch(
      /7 documents are missing:[\s\S]*docs\.jsonl, a line with "name"/,
    );
    const good = await run(['check', '--data', data]);
    expect(good.code, good.stderr).toBe(0);
    expect(good.stdout).toMatch(/documents: all 8 are in/);
  });

  it('a text without values is put on a page to be reviewed', async () => {
    const texts = join(dir, 'texts');
    mkdirSync(texts);
    for (const [index, name] of ['one', 'two', 'three'].entries()) {
      writeFileSync(
        join(texts, `${name}.txt`),
        `A memo.\nStaff: ${10 + index}\n${'word '.repeat(80)}`,
      );
    }
    const out = join(dir, 'reviewed-benchmark');
    const offered = await run(['build', '--docs', texts, '--out', out, '--lengths', '2000']);
    expect(offered.code, offered.stderr).toBe(0);
    expect(offered.stdout).toMatch(/3 values were found in 3 texts[\s\S]*review\.html/);
    const candidates = readFileSync(join(out, 'candidates.csv'), 'utf8').trim().split('\n');
    const decided = candidates.map((line, at) => `${line},${at === 0 ? 'decision' : 'yes'}`);
    const reviewed = join(dir, 'reviewed.csv');
    writeFileSync(reviewed, `${decided.join('\n')}\n`);
    const built = await run([
      ...['build', '--docs', texts, '--out', out, '--lengths', '2000', '--reviewed', reviewed],
    ]);
    expect(built.code, built.stderr).toBe(0);
    expect(built.stdout).toMatch(/questions of 3 values/);
  });

  it('looks at texts where the few tables there are share no attribute', async () => {
    const mixed = join(dir, 'mixed');
    mkdirSync(mixed);
    writeFileSync(join(mixed, 'table.csv'), 'item,value\nStaff,12\n');
    for (const name of ['one', 'two']) {
      writeFileSync(join(mixed, `${name}.txt`), `A memo about ${name}.\nStaff: 4${name.length}\n`);
    }
    writeFileSync(join(mixed, 'old.xlsx'), 'x');
    const out = join(dir, 'from-mixed');
    const build = ['build', '--docs', mixed, '--out', out, '--lengths', '2000'];
    const offered = await run(build);
    expect(offered.code, offered.stderr).toBe(0);
    expect(offered.stdout).toMatch(/2 values were found in 2 texts/);
    expect(offered.stderr).toMatch(/warning: 1 file left out \(\.xlsx 1\)/);
    const facts = join(dir, 'staff.csv');
    writeFileSync(facts, 'doc,Staff\none,43\n');
    const built = await run([...build, '--facts', facts]);
    expect(built.code, built.stderr).toBe(0);
    expect(built.stdout).toMatch(/of 2 values in 3 documents/);
    expect(built.stderr).toMatch(/1 document without a value/);
  });
});
