import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from '../process.mjs';
import { packages, root } from '../workspace.mjs';

const commands = packages().flatMap(({ folder, manifest }) =>
  Object.values(manifest.bin ?? {}).map((path) => join('packages', folder, path)),
);
let parent;
let checkout;

/** A checkout after its install: sources, no build. */
beforeAll(() => {
  parent = mkdtempSync(join(tmpdir(), 'lab-checkout-'));
  checkout = join(parent, 'checkout');
  const isSource = (path) => !['dist', 'bench', 'test', 'data'].includes(basename(path));
  for (const name of ['packages', 'tools']) {
    cpSync(join(root, name), join(checkout, name), {
      recursive: true,
      verbatimSymlinks: true,
      filter: (path) => isSource(path) || path.includes('/src/'),
    });
  }
  symlinkSync(join(root, 'node_modules'), join(checkout, 'node_modules'));
});

afterAll(() => rmSync(parent, { recursive: true }));

test.each(commands)('%s runs from sources without a build', async (path) => {
  const script = join(checkout, path);
  expect(existsSync(join(dirname(script), '..', 'dist'))).toBe(false);
  const { code, stdout, stderr } = await run(script, ['--help'], { cwd: parent }); // as scripts do
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain(`${basename(path, '.js')} `);
});

test('beside an old build sources run as well', async () => {
  const script = join(checkout, 'packages', 'report', 'bin', 'report.js');
  const fresh = await run(script, ['--help'], { cwd: parent });
  const build = join(dirname(script), '..', 'dist');
  mkdirSync(build);
  writeFileSync(join(build, 'cli.js'), "console.log('an old build');\n");
  expect(await run(script, ['--help'], { cwd: parent })).toEqual(fresh);
  rmSync(build, { recursive: true });
});

test.each(commands)('%s looks at its checkout as all others do', (path) => {
  const importsOf = (file) => readFileSync(join(root, file), 'utf8').replace(/^ *\/\/.*\n/gm, '');
  expect(importsOf(path)).toBe(importsOf('packages/report/bin/report.js'));
});

test('a deeper command of a checkout without a build resolves every import', async () => {
  const argv = ['packages/ibmea/bin/ibmea.js', 'config', '--preset', 'dbp15k', '--json'];
  const { code, stdout, stderr } = await run(process.execPath, argv, { cwd: checkout });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(JSON.parse(stdout)).toMatchObject({ preset: 'dbp15k', status: 'success' });
});

test('a checkout that is not installed says what to do', async () => {
  const bare = join(parent, 'bare');
  for (const path of ['tools', 'packages/ibmea/bin', 'packages/ibmea/src']) {
    cpSync(join(checkout, path), join(bare, path), { recursive: true });
  }
  writeFileSync(join(bare, 'package.json'), '{ "type": "module" }\n');
  const argv = [join(bare, 'packages/ibmea/bin/ibmea.js'), '--help'];
  const { code, stdout, stderr } = await run(process.execPath, argv);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(/^error: .* not installed\.\n {2}help: npm run quickstart .*\n$/);
});

test.each(commands)('%s runs its build where it is installed', async (path) => {
  const installed = join(parent, 'user', 'node_modules', '@lab', basename(path, '.js'));
  for (const folder of ['bin', 'dist', 'src'])
    mkdirSync(join(installed, folder), { recursive: true });
  writeFileSync(join(installed, 'package.json'), '{ "type": "module" }\n');
  writeFileSync(join(installed, 'dist', 'cli.js'), "console.log('the build');\n");
  writeFileSync(join(installed, 'src', 'cli.ts'), "console.log('the sources');\n");
  const script = join(installed, 'bin', basename(path));
  cpSync(join(root, path), script);
  expect((await run(process.execPath, [script])).stdout).toBe('the build\n');
});
