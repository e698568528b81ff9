// node tools/consumer-test.mjs [--only NAME] [--manager npm|pnpm] [--keep]: what a user gets. Packs
// every public package, installs each into an empty folder outside the workspace with npm and with
// pnpm, and imports and requires every entry. Where pnpm installed, which shows a package only what
// it names, code is compiled against the types; where npm did, the commands run, and those with a
// task of their own also do it on the files of an example.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
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
  await inParallel([...packages(), ...prebuiltPackages()], async ({ dir, manifest }) => {
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

const managers = {
  /** npm takes ranges between given tarballs from the tarballs themselves. */
  async npm(dir, member, tarballs) {
    const needed = [...closure(member.manifest.name)].map((name) => tarballs[name]);
    writeManifest(dir, loadedPeers(member.manifest));
    const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];
    await runOrThrow('npm', ['install', ...flags, ...needed], { cwd: dir });
  },

  /** pnpm asks the registry for `@lab/...` unless overrides point at the tarballs. */
  async pnpm(dir, member, tarballs) {
    const { name } = member.manifest;
    const overrides = [...closure(name)].map(
      (other) => `  "${other}": "file:${tarballs[other]}"\n`,
    );
    const workspace = `packages: []\nautoInstallPeers: false\noverrides:\n${overrides.join('')}`;
    writeFileSync(join(dir, 'pnpm-workspace.yaml'), workspace);
    writeManifest(dir, { [name]: `file:${tarballs[name]}`, ...loadedPeers(member.manifest) });
    const flags = ['--ignore-scripts', '--prefer-offline', '--no-frozen-lockfile'];
    await runOrThrow('pnpm', ['install', ...flags], { cwd: dir });
  },
};

function writeManifest(dir, dependencies) {
  const manifest = { name: 'consumer', private: true, type: 'module', dependencies };
  writeFileSync(join(dir, 'package.json'), JSON.stringify(manifest));
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
  return line.startsWith('entries.ts') || file.startsWith('@lab/');
}

async function compileTypes(dir, manifest) {
  const lines = entriesOf(manifest).map(
    (name, index) =>
      `import * as e${index} from '${name}';\nexport type E${index} = typeof e${index};\n`,
  );
  writeFileSync(join(dir, 'entries.ts'), lines.join(''));
  const strict = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--target', 'es2022'];
  const modules = ['--module', 'nodenext', '--skipLibCheck', 'false', '--types', ''];
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { stdout } = await run(process.execPath, [tsc, ...strict, ...modules, 'entries.ts'], {
    cwd: dir,
  });
  const ours = stdout.split('\n').filter(isOurError);
  if (ours.length > 0) throw new Error(ours.slice(0, 20).join('\n'));
}

async function runCommands(dir, manifest) {
  for (const name of Object.keys(manifest.bin ?? {})) {
    const npx = (...args) => run('npx', ['--no-install', name, ...args], { cwd: dir });
    const help = await npx('--help');
    if (help.code !== 0 || !help.stdout.includes(name)) {
      throw new Error(`${name} --help ended with ${help.code}: ${help.stdout}${help.stderr}`);
    }
    if (!/^ {2,}demo\b/m.test(help.stdout)) continue;
    const demo = await npx('demo');
    if (demo.code !== 0 || demo.stdout.trim() === '') {
      throw new Error(`${name} demo ended with ${demo.code}: ${demo.stdout}${demo.stderr}`);
    }
  }
}

/** Runs all checks of one package under one manager; returns the failures, each one text. */
async function checkPackage(member, manager, { folder, tarballs }) {
  const dir = join(folder, `${manager}-${member.folder}`);
  mkdirSync(dir);
  const failures = [];
  const steps = [
    ['install', () => managers[manager](dir, member, tarballs)],
    ['import', () => importEntries(dir, member.manifest)],
    ...(manager === 'pnpm'
      ? [['types', () => compileTypes(dir, member.manifest)]]
      : [
          ['commands', () => runCommands(dir, member.manifest)],
          ['example', () => userTasks[member.folder]?.(dir)],
        ]),
  ];
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

/** Builds and packs, then checks every chosen package under every chosen manager. */
async function checkAll(folder) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  if (!options['no-build']) {
    const filter = options.only ? [`--filter=./packages/${options.only}`] : [];
    const turbo = join(root, 'node_modules', '.bin', 'turbo');
    await runOrThrow(turbo, ['run', 'build', '--output-logs=errors-only', ...filter]);
  }
  const tarballs = await packAll(folder);
  const chosen = packages().filter((member) => !options.only || member.folder === options.only);
  const names = options.manager ? [options.manager] : Object.keys(managers);
  const pairs = chosen.flatMap((member) => names.map((manager) => ({ member, manager })));
  await inParallel(pairs, async ({ member, manager }) => {
    const start = performance.now();
    const failures = await checkPackage(member, manager, { folder, tarballs });
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    counts[failures.length > 0 ? 'failed' : 'passed'] += 1;
    const mark = failures.length > 0 ? 'FAILED' : 'ok    ';
    process.stdout.write(`${mark} ${manager.padEnd(4)} ${member.manifest.name} ${seconds} s\n`);
    for (const failure of failures) process.stdout.write(`  ${failure}\n`);
  });
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
