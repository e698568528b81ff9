// node tools/consumer-test.mjs [--only NAME] [--manager npm|pnpm] [--keep]: what a user gets. Packs
// every public package and installs each outside the workspace, with npm and with pnpm, and imports
// and requires every entry. npm has an empty folder for each package, where its commands run, and
// those with a task of their own also do it on the files of an example. pnpm has one folder with a
// member for each package, which sees nothing but what that package names: there code is compiled
// against the types.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildPackages } from './builds.mjs';
import { userTasks } from './consumer-tasks.mjs';
import { countsLine } from './test-counts.mjs';
import { inParallel, run, runOrThrow } from './process.mjs';
import { closure, packages, prebuiltPackages, root } from './workspace.mjs';

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    manager: { type: 'string' },
    keep: { type: 'boolean' },
    'no-build': { type: 'boolean' },
  },
});

/** Packs all packages into a folder and returns the tarball of each by package name. */
async function packAll(folder) {
  const tarballs = {};
  // Machine code is compiled for its package: that begins first.
  await inParallel([...prebuiltPackages(), ...packages()], async ({ dir, manifest }) => {
    await runOrThrow('pnpm', ['pack', '--pack-destination', folder], { cwd: dir });
    const stem = `${manifest.name.replace('@', '').replace('/', '-')}-${manifest.version}.tgz`;
    const file = readdirSync(folder).find((name) => name === stem);
    if (!file) throw new Error(`pnpm pack left no ${stem}`);
    tarballs[manifest.name] = join(folder, file);
  });
  return tarballs;
}

/** Peers that an entry of the package imports when it is loaded, such as vitest in `./testing`. */
function loadedPeers(manifest) {
  const peers = Object.entries(manifest.peerDependencies ?? {});
  return Object.fromEntries(peers.filter(([name]) => name === 'vitest'));
}

function writeManifest(dir, name, dependencies) {
  const manifest = { name, private: true, type: 'module', dependencies };
  writeFileSync(join(dir, 'package.json'), JSON.stringify(manifest));
}

/** npm takes ranges between given tarballs from the tarballs themselves. */
async function installWithNpm(dir, member, tarballs) {
  mkdirSync(dir, { recursive: true });
  const needed = [...closure(member.manifest.name)].map((name) => tarballs[name]);
  writeManifest(dir, 'consumer', loadedPeers(member.manifest));
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];
  await runOrThrow('npm', ['install', ...flags, ...needed], { cwd: dir });
}

/**
 * pnpm asks the registry for `@lab/...` unless overrides point at the tarballs. Nothing is hoisted,
 * and peers of one member are not shared with another: each package finds what it names alone.
 */
async function installWithPnpm(folder, chosen, tarballs) {
  const needed = new Set(chosen.flatMap(({ manifest }) => [...closure(manifest.name)]));
  const overrides = [...needed].map((name) => `  "${name}": "file:${tarballs[name]}"\n`);
  const settings = ['hoist: false', 'dedupePeerDependents: false', 'autoInstallPeers: false'];
  mkdirSync(folder);
  writeManifest(folder, 'consumers', {});
  writeFileSync(
    join(folder, 'pnpm-workspace.yaml'),
    `packages: ['*']\n${settings.join('\n')}\noverrides:\n${overrides.join('')}`,
  );
  for (const { folder: name, manifest } of chosen) {
    mkdirSync(join(folder, name));
    const own = { [manifest.name]: `file:${tarballs[manifest.name]}` };
    writeManifest(join(folder, name), `consumer-${name}`, { ...own, ...loadedPeers(manifest) });
  }
  const flags = ['--ignore-scripts', '--prefer-offline', '--no-frozen-lockfile'];
  await runOrThrow('pnpm', ['install', ...flags], { cwd: folder });
}

/** The specifiers of all entries that hold code. */
function entriesOf(manifest) {
  return Object.keys(manifest.exports)
    .filter((key) => key !== './package.json')
    .map((key) => manifest.name + key.slice(1));
}

async function importEntries(dir, manifest) {
  const list = JSON.stringify(entriesOf(manifest));
  const loop = (load) =>
    `for (const name of ${list}) { const all = ${load}(name);
      if (Object.keys(all).length === 0) throw new Error(name + ' exports nothing'); }\n`;
  writeFileSync(join(dir, 'check.mjs'), loop('await import'));
  const named = `require(${JSON.stringify(`${manifest.name}/package.json`)});\n`;
  writeFileSync(join(dir, 'check.cjs'), loop('require') + named);
  await runOrThrow(process.execPath, ['check.mjs'], { cwd: dir });
  await runOrThrow(process.execPath, ['--no-warnings', 'check.cjs'], { cwd: dir });
}

/**
 * Whether a compiler message is about our types. Those of TensorFlow.js bring an old @webgpu/types
 * that contradicts newer DOM types, which no consumer and we neither can mend.
 */
function isOurError(line) {
  if (!/error TS\d+/.test(line)) return false;
  const file = line.split('node_modules/').at(-1);
  return /^[\w-]+\/entries\.ts/.test(line) || file.startsWith('@lab/');
}

/** The package of a compiler message: of the member that it is in, or whose types it is in. */
const packageOf = (line) =>
  /^([\w-]+)\/entries\.ts/.exec(line)?.[1] ?? line.split('node_modules/@lab/').at(-1).split('/')[0];

/** Compiles code that uses every entry, of all members at once; the messages by package. */
async function typeErrors(folder, chosen) {
  for (const { folder: name, manifest } of chosen) {
    const lines = entriesOf(manifest).map(
      (entry, index) =>
        `import * as e${index} from '${entry}';\nexport type E${index} = typeof e${index};\n`,
    );
    writeFileSync(join(folder, name, 'entries.ts'), lines.join(''));
  }
  const strict = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--target', 'es2022'];
  const modules = ['--module', 'nodenext', '--skipLibCheck', 'false', '--types', ''];
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const files = chosen.map(({ folder: name }) => join(name, 'entries.ts'));
  const argv = [tsc, ...strict, ...modules, '--pretty', 'false', ...files];
  const { code, stdout, stderr } = await run(process.execPath, argv, { cwd: folder });
  if (code !== 0 && !/error TS\d+/.test(stdout)) throw new Error(`${stdout}${stderr}`);
  const found = new Map();
  for (const line of stdout.split('\n').filter(isOurError)) {
    found.set(packageOf(line), [...(found.get(packageOf(line)) ?? []), line]);
  }
  return found;
}

/** `--help` as a user asks for it; the demo by the program that npx finds. */
async function runCommands(dir, manifest) {
  for (const name of Object.keys(manifest.bin ?? {})) {
    const help = await run('npx', ['--no-install', name, '--help'], { cwd: dir });
    if (help.code !== 0 || !help.stdout.includes(name)) {
      throw new Error(`${name} --help ended with ${help.code}: ${help.stdout}${help.stderr}`);
    }
    if (!/^ {2,}demo\b/m.test(help.stdout)) continue;
    const demo = await run('npx', ['--no-install', name, 'demo'], { cwd: dir });
    if (demo.code !== 0 || demo.stdout.trim() === '') {
      throw new Error(`${name} demo ended with ${demo.code}: ${demo.stdout}${demo.stderr}`);
    }
  }
}

/** Takes steps up to the first failed `install`; the failures, each one text. */
async function failuresOf(steps) {
  const failures = [];
  for (const [name, step] of steps) {
    try {
      await step();
    } catch (error) {
      failures.push(`${name}: ${error.message}`);
      if (name === 'install') break;
    }
  }
  return failures;
}

/** Those first that need most packages, whose commands do most: no long one is left for the end. */
const byWork = (chosen) => {
  const sizeOf = ({ manifest }) => closure(manifest.name).size;
  return [...chosen].sort((a, b) => sizeOf(b) - sizeOf(a));
};

/** Checks packages with npm, one by one. */
const npmChecks = (chosen, { folder, tarballs }) =>
  byWork(chosen).map((member) => {
    const dir = join(folder, 'npm', member.folder);
    const steps = [
      ['install', () => installWithNpm(dir, member, tarballs)],
      ['import', () => importEntries(dir, member.manifest)],
      ['commands', () => runCommands(dir, member.manifest)],
      ['example', () => userTasks[member.folder]?.(dir)],
    ];
    return { manager: 'npm', member, check: () => failuresOf(steps) };
  });

/** Checks packages with pnpm: installed and compiled together, imported one by one. */
async function pnpmChecks(chosen, { folder, tarballs }) {
  const dir = join(folder, 'pnpm');
  let errors = new Map();
  const together = await failuresOf([
    ['install', () => installWithPnpm(dir, chosen, tarballs)],
    ['types', async () => void (errors = await typeErrors(dir, chosen))],
  ]);
  return chosen.map((member) => {
    const own = errors.get(member.folder) ?? [];
    const types = own.length > 0 ? [`types: ${own.slice(0, 20).join('\n')}`] : [];
    const imports = () => importEntries(join(dir, member.folder), member.manifest);
    const check = async () => [
      ...together,
      ...types,
      ...(together.length > 0 ? [] : await failuresOf([['import', imports]])),
    ];
    return { manager: 'pnpm', member, check };
  });
}

/** Builds and packs, then checks every chosen package under every chosen manager. */
async function checkAll(folder) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  if (!options['no-build']) await buildPackages(options.only ? [options.only] : []);
  const at = { folder, tarballs: await packAll(folder) };
  const chosen = packages().filter((member) => !options.only || member.folder === options.only);
  const isWanted = (manager) => !options.manager || options.manager === manager;
  const report = async ({ manager, member, check }) => {
    const start = performance.now();
    const failures = await check();
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    counts[failures.length > 0 ? 'failed' : 'passed'] += 1;
    const mark = failures.length > 0 ? 'FAILED' : 'ok    ';
    process.stdout.write(`${mark} ${manager.padEnd(4)} ${member.manifest.name} ${seconds} s\n`);
    for (const failure of failures) process.stdout.write(`  ${failure}\n`);
  };
  await Promise.all([
    isWanted('npm') && inParallel(npmChecks(chosen, at), report),
    isWanted('pnpm') && pnpmChecks(chosen, at).then((checks) => inParallel(checks, report)),
  ]);
  return counts;
}

const folder = mkdtempSync(join(tmpdir(), 'lab-consumer-'));
try {
  const counts = await checkAll(folder);
  process.stdout.write(`${countsLine(counts)}\n`);
  process.exitCode = counts.failed > 0 ? 1 : 0;
} catch (error) {
  process.stderr.write(`error: ${error.message}\n`);
  process.exitCode = 1;
} finally {
  if (options.keep) process.stdout.write(`kept ${folder}\n`);
  else rmSync(folder, { recursive: true });
}
