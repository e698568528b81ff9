import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { writeNpy } from '@lab/tensor/io';
import { beforeAll, describe, expect, it } from 'vitest';
import { selectBackend } from '@lab/tensor';
import { quick, runProgram, smallFolder } from '../__fixtures__/run-program.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

/** Damages a folder; `line` is where the defect must be found. */
interface BadInput {
  readonly name: string;
  readonly file: string;
  readonly line?: number;
  readonly message: RegExp;
  damage(dir: string): void | Promise<void>;
}

const textOf = (dir: string, file: string) => readFileSync(join(dir, file), 'utf8');

/** Puts a line in front of a file, so that the defect is in line 1. */
const prepend = (file: string, line: string) => (dir: string) =>
  writeFileSync(join(dir, file), `${line}\n${textOf(dir, file)}`);

const badInputs: readonly BadInput[] = [
  {
    name: 'a missing file',
    file: 'triples_2',
    message: /missing file triples_2/,
    damage: (dir) => rmSync(join(dir, 'triples_2')),
  },
  {
    name: 'a ragged line',
    file: 'triples_1',
    line: 1,
    message: /expected head<TAB>relation<TAB>tail, found 2 field/,
    damage: prepend('triples_1', '0\t0'),
  },
  {
    name: 'an id that is no integer',
    file: 'triples_1',
    line: 1,
    message: /the tail "1.5" is not a non-negative integer/,
    damage: prepend('triples_1', '0\t0\t1.5'),
  },
  {
    name: 'an unknown entity in a triple',
    file: 'triples_2',
    line: 1,
    message: /the head 99999 is no entity/,
    damage: prepend('triples_2', '99999\t0\t1'),
  },
  {
    name: 'a duplicate link',
    file: 'ill_ent_ids',
    line: 2,
    message: /duplicate link/,
    damage: (dir) => {
      const first = textOf(dir, 'ill_ent_ids').split('\n')[0]!;
      prepend('ill_ent_ids', first)(dir);
    },
  },
  {
    name: 'a link to a missing entity',
    file: 'ill_ent_ids',
    line: 1,
    message: /end "?99999"? is no entity/,
    damage: prepend('ill_ent_ids', '0\t99999'),
  },
  {
    name: 'an empty triples file',
    file: 'triples_1',
    line: 1,
    message: /KG1 has no triples/,
    damage: (dir) => writeFileSync(join(dir, 'triples_1'), ''),
  },
  {
    name: 'image rows that do not match their ids',
    file: 'images.npy',
    message: /40.*39|39.*40/,
    damage: (dir) => {
      const ids = textOf(dir, 'images_ids.txt').trim().split('\n').slice(1);
      writeFileSync(join(dir, 'images_ids.txt'), `${ids.join('\n')}\n`);
    },
  },
  {
    name: 'NaN in the image vectors',
    file: 'images.npy',
    message: /NaN|not finite/,
    damage: async (dir) => {
      const data = new Float32Array(40 * 5).fill(0.5);
      data[7] = Number.NaN;
      await writeNpy(join(dir, 'images.npy'), { shape: [40, 5], data });
    },
  },
  {
    name: 'attributes of mostly unknown entities',
    file: 'training_attrs_1',
    message: /\d+ of \d+ lines name an entity that is not in ent_ids/,
    damage: (dir) => {
      const lines = textOf(dir, 'training_attrs_1').split('\n');
      writeFileSync(join(dir, 'training_attrs_1'), lines.map((text) => `no-${text}`).join('\n'));
    },
  },
  {
    name: 'binary garbage',
    file: 'ent_ids_1',
    message: /not a text file/,
    damage: (dir) => writeFileSync(join(dir, 'ent_ids_1'), Buffer.from([1, 0, 255, 254, 0, 7, 10])),
  },
];

const outFlags = () => ['--out', temporaryFolder()];

describe.each(badInputs)('$name', ({ file, line, message, damage }) => {
  it('is a defect of check, with file and line, exit 3', async () => {
    const dir = await smallFolder();
    await damage(dir);
    const { code, stdout, stderr } = await runProgram('check', '--data', dir, '--json');
    expect(code).toBe(3);
    expect(stderr).toMatch(/^error: [\d,]+ defects? in the data\./m);
    expect(stderr).toContain('  help: ');
    const { error, status } = JSON.parse(stdout) as {
      error: { code: string; details: { defects: { message: string }[] } };
      status: string;
    };
    expect([status, error.code]).toEqual(['error', 'LAB_DATA']);
    expect(error.details.defects.map((defect) => defect.message).join('\n')).toMatch(message);
    const plain = await runProgram('check', '--data', dir);
    expect(plain.stdout).toMatch(message);
    expect(plain.stdout).toContain(line === undefined ? file : `${file} line ${line}:`);
    expect(plain.stdout).toMatch(/ {2}help: /);
  });

  it('stops a training before it starts', async () => {
    const dir = await smallFolder();
    await damage(dir);
    const out = temporaryFolder();
    const argv = ['train', '--data', dir, '--out', out, ...quick, '--epochs', '1'];
    const { code, stdout, stderr } = await runProgram(...argv);
    expect([code, stdout]).toEqual([3, '']);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/error: [^]*\n {2}help: /);
  });
});

describe('check', () => {
  it('lists all defects at once, twenty of them in full', async () => {
    const dir = await smallFolder();
    for (const { name, damage } of badInputs.slice(1, 6)) {
      expect(name).not.toBe('');
      await damage(dir);
    }
    const some = await runProgram('check', '--data', dir);
    expect(some.code).toBe(3);
    for (const { message } of badInputs.slice(1, 6)) expect(some.stdout).toMatch(message);
    appendFileSync(join(dir, 'triples_1'), 'x\t1\t2\n'.repeat(30));
    const many = await runProgram('check', '--data', dir);
    expect(many.stdout).toMatch(/\n20\. /);
    expect(many.stdout).not.toMatch(/\n21\. /);
    expect(many.stdout).toMatch(/and 1\d more\./);
    expect(many.stderr).toMatch(/error: 3\d defects in the data/);
  });

  it('shows the line with a mark under the place', async () => {
    const dir = await smallFolder();
    prepend('triples_1', '0\t0\tx')(dir);
    const { stdout } = await runProgram('check', '--data', dir);
    expect(stdout).toMatch(/ {2}\| 0 0 x\n {2}\| {5}\^/);
  });

  it('says the counts of good data and that there are no defects', async () => {
    const { code, stdout } = await runProgram('check', '--data', await smallFolder());
    expect(code).toBe(0);
    expect(stdout).toMatch(/left entities +40/);
    expect(stdout).toMatch(/seeds +12/);
    expect(stdout).toMatch(/test pairs +28/);
    expect(stdout).toMatch(/memory expected +[\d.]+ MB.* \(backend /);
    expect(stdout).toContain('no defects');
    const json = await runProgram('check', '--data', await smallFolder(), '--json');
    expect(JSON.parse(json.stdout)).toMatchObject({
      status: 'success',
      seeds: 12,
      test: 28,
      memory: { fits: true, graphLayers: 'kept' },
    });
  });

  it('expects more memory for wider settings', async () => {
    const dir = await smallFolder();
    const bytesWith = async (...flags: string[]) => {
      const { stdout } = await runProgram('check', '--data', dir, '--json', ...flags);
      return (JSON.parse(stdout) as { memory: { tensorBytes: number } }).memory.tensorBytes;
    };
    const wide = await bytesWith('--set', 'model.tableSize=3000');
    expect(wide).toBeGreaterThan(await bytesWith());
  });

  it('an empty seed set, as a file and as a share', async () => {
    const dir = await smallFolder();
    const seeds = join(temporaryFolder(), 'seeds.tsv');
    writeFileSync(seeds, '');
    const file = await runProgram('check', '--data', dir, '--seeds', seeds);
    expect(file.code).toBe(3);
    expect(file.stdout).toMatch(/seeds\.tsv|0 of 40 links are seeds/);
    const share = await runProgram('check', '--data', dir, '--set', 'data.seedShare=0.01');
    expect(share.code).toBe(3);
    expect(share.stdout).toMatch(/0 of 40 links are seeds/);
    const training = ['train', '--data', dir, '--seeds', seeds, ...quick, ...outFlags()];
    expect((await runProgram(...training)).code).toBe(3);
  });

  it('broken links bring no defect about the number of seeds', async () => {
    const dir = await smallFolder();
    const links = textOf(dir, 'ill_ent_ids').trimEnd().split('\n');
    const bad = links.map((link, at) => (at < 2 ? link : `${link} x`));
    writeFileSync(join(dir, 'ill_ent_ids'), `${bad.join('\n')}\n`);
    const some = await runProgram('check', '--data', dir);
    expect([some.code, some.stderr]).toEqual([3, expect.stringContaining('38 defects')]);
    writeFileSync(join(dir, 'ill_ent_ids'), '');
    const none = await runProgram('check', '--data', dir);
    expect(none.stdout).toContain('no usable link in the file');
    expect(none.stderr).toContain('1 defect in the data');
    rmSync(join(dir, 'ill_ent_ids'));
    rmSync(join(dir, 'ent_ids_1'));
    const { stdout } = await runProgram('check', '--data', dir);
    expect(stdout).toMatch(/missing file ent_ids_1[^]*missing file ill_ent_ids/);
    expect(stdout).not.toContain('are seeds');
  });

  it('a broken link file of own graphs is one defect', async () => {
    const dir = temporaryFolder();
    const path = (name: string) => join(dir, name);
    for (const name of ['a.csv', 'b.csv']) writeFileSync(path(name), 'a,r,b\nb,r,c\n');
    const flags = ['--source', path('a.csv'), '--target', path('b.csv')];
    const check = (...more: string[]) => runProgram('check', ...flags, '--links', ...more);
    const missing = await check(path('links.csv'));
    expect(missing.stderr).toContain('1 defect in the data');
    expect(missing.stdout).toContain('missing link file');
    writeFileSync(path('links.csv'), 'source,target\n');
    const empty = await check(path('links.csv'));
    expect(empty.stderr).toContain('1 defect in the data');
    expect(empty.stdout).toContain('no usable link in the file');
    const named = await check(path('links.csv'), '--seeds', 'auto:names');
    expect(named.stderr).toContain('1 defect in the data');
  });

  it('a modality on one side only is allowed and said', async () => {
    const dir = await smallFolder();
    rmSync(join(dir, 'training_attrs_2'));
    const { code, stdout } = await runProgram('check', '--data', dir);
    expect(code).toBe(0);
    expect(stdout).toMatch(/note: Only KG1 has attributes/);
    const argv = ['train', '--data', dir, ...quick, '--epochs', '1', ...outFlags()];
    const training = await runProgram(...argv);
    expect(training.code).toBe(0);
    expect(training.stderr).toMatch(/note .*Only KG1 has attributes/);
  });

  it('attributes of a single unknown entity are left out and counted', async () => {
    const dir = await smallFolder();
    appendFileSync(join(dir, 'training_attrs_1'), 'http://no/Such\theight\n');
    const { code, stdout } = await runProgram('check', '--data', dir);
    expect(code).toBe(0);
    expect(stdout).toMatch(/note: 1 line of training_attrs_1 names no known entity/);
  });

  it('line ends, byte-order marks and a missing last line end are accepted', async () => {
    const dir = await smallFolder();
    const crlf = textOf(dir, 'triples_1').trimEnd().replaceAll('\n', '\r\n');
    writeFileSync(join(dir, 'triples_1'), `\uFEFF${crlf}`);
    expect((await runProgram('check', '--data', dir)).code).toBe(0);
  });

  it('a folder that is not there', async () => {
    const { code, stderr, stdout } = await runProgram('check', '--data', '/no/such/folder');
    expect(code).toBe(3);
    expect(`${stdout}${stderr}`).toContain('/no/such/folder');
  });

  it('--env says versions, machine and backend', async () => {
    const { code, stdout } = await runProgram('check', '--env');
    expect(code).toBe(0);
    expect(stdout).toMatch(/@lab\/table +1\.2\.3/);
    expect(stdout).toMatch(/backend +.*wasm|backend +.*tensorflow/);
    const json = await runProgram('check', '--env', '--json');
    expect(JSON.parse(json.stdout)).toHaveProperty('environment.backend.name');
  });

  it('reads graphs of a user', async () => {
    const dir = temporaryFolder();
    const path = (name: string) => join(dir, name);
    writeFileSync(path('a.csv'), 'head,relation,tail\na,r,b\nb,r\n');
    writeFileSync(path('b.csv'), 'head,relation,tail\nA,R,B\n');
    writeFileSync(path('links.csv'), 'source,target\na,A\nzz,B\n');
    const flags = ['--source', path('a.csv'), '--target', path('b.csv')];
    const bad = await runProgram('check', ...flags, '--links', path('links.csv'));
    expect(bad.code).toBe(3);
    expect(bad.stdout).toContain('a.csv line 3:');
    expect(bad.stdout).toContain('links.csv line 3:');
    const unlinked = await runProgram('check', ...flags);
    expect([unlinked.code, unlinked.stdout]).toEqual([2, '']);
    expect(unlinked.stderr).toMatch(/no known pairs were given[^]*help: give --links FILE/);
  });
});
