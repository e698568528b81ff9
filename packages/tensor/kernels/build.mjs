// Builds the kernels: `node kernels/build.mjs` writes src/kernels/*.wasm and the tables for native
// programs, `--check` compares.
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import v8 from 'node:v8';
import { cudaTableText, readKernels, tableText } from './table.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const target = join(here, '../src/kernels');

/** Other versions may give other bytes; clang 14 emits relaxed-SIMD codes that V8 rejects. */
const VERSION = '16.0.6';
const COMPILER = 'clang-16';
const LINKER = 'wasm-ld-16';

const FLAGS = [
  '--target=wasm32',
  '-O3',
  '-std=c17',
  '-ffreestanding',
  '-nostdlib',
  '-fno-math-errno',
  '-fno-trapping-math',
  '-ffp-contract=off',
  '-fvisibility=hidden',
  '-Wall',
  '-Wextra',
  '-Werror',
  '-msimd128',
  '-mbulk-memory',
  '-mmutable-globals',
  '-mnontrapping-fptoint',
  // Strength reduction hides constant offsets from the addresses, one extra addition a load.
  '-mllvm',
  '-disable-lsr',
];

// The memory is the backend's; the stack pointer is set by the loader to a region it allocates.
const LINK_FLAGS = [
  '--no-entry',
  '--import-memory',
  // With a maximum the loader makes the import a shared one by a single byte.
  '--max-memory=4294967296',
  '--strip-all',
  '--stack-first',
  '-zstack-size=65536',
];

/** The source of a module of its own, whose only function the other module imports. */
const TILE = 'tile.c';

const RELAXED = ['-mrelaxed-simd'];
const BUILDS = [
  { name: 'simd.wasm', flags: [], isTile: false },
  { name: 'relaxed-simd.wasm', flags: RELAXED, isTile: false },
  { name: 'tile-simd.wasm', flags: [], isTile: true },
  { name: 'tile-relaxed-simd.wasm', flags: RELAXED, isTile: true },
];

function run(command, args) {
  return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

function checkVersions() {
  for (const program of [COMPILER, LINKER]) {
    const found = run(program, ['--version']).split('\n')[0];
    if (!found.includes(VERSION)) {
      throw new Error(`kernels: ${program} is "${found}", the build is pinned to ${VERSION}.`);
    }
  }
}

/** Throws when the module imports what it should not, or the tile has a stack. */
function assertInterface({ name, isTile }, bytes) {
  const module = new WebAssembly.Module(bytes);
  const namesOf = (list) => list.map((entry) => entry.name).join();
  const imports = namesOf(WebAssembly.Module.imports(module));
  const allowed = isTile ? 'memory' : 'memory,tile';
  if (imports !== allowed) throw new Error(`kernels: ${name} imports ${imports}.`);
  const exports = namesOf(WebAssembly.Module.exports(module));
  if (isTile && exports !== 'tile') throw new Error(`kernels: ${name} exports ${exports}.`);
}

/** Throws when the module has a data segment: it would land at a fixed address of the heap. */
function assertNoData(name, bytes) {
  let at = 8;
  while (at < bytes.length) {
    const section = bytes[at++];
    let size = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      size |= (byte & 127) << shift;
      if (byte < 128) break;
    }
    if (section === 11) throw new Error(`kernels: ${name} has a data section; use code constants.`);
    at += size;
  }
}

/** The tile needs no stack; the other module imports the tile. */
function linkFlags({ isTile }, folder) {
  if (isTile) return [];
  const imported = join(folder, 'imported.txt');
  writeFileSync(imported, 'tile\n');
  return ['--export=__stack_pointer', `--allow-undefined-file=${imported}`];
}

const sourcesOf = (isTile) =>
  readdirSync(here)
    .filter((file) => file.endsWith('.c') && (file === TILE) === isTile)
    .sort();

async function compile(build, folder) {
  const objects = await Promise.all(
    sourcesOf(build.isTile).map(async (source) => {
      const object = join(folder, `${build.name}-${source}.o`);
      const own = [`-ffile-prefix-map=${here}=.`, '-c', join(here, source), '-o', object];
      await promisify(execFile)(COMPILER, [...FLAGS, ...build.flags, ...own]);
      return object;
    }),
  );
  const output = join(folder, build.name);
  run(LINKER, [...LINK_FLAGS, ...linkFlags(build, folder), ...objects, '-o', output]);
  const bytes = readFileSync(output);
  assertInterface(build, bytes);
  assertNoData(build.name, bytes);
  return bytes;
}

/** Writes a built file, or throws where the committed one is another. */
function deliver(path, bytes, isCheck) {
  const name = basename(path);
  if (!isCheck) writeFileSync(path, bytes);
  else if (!bytes.equals(readFileSync(path))) {
    throw new Error(`kernels: ${name} differs from its sources; run kernels/build.mjs.`);
  }
  process.stdout.write(`${name}: ${bytes.length} bytes${isCheck ? ', as committed' : ''}\n`);
}

async function main() {
  v8.setFlagsFromString('--experimental-wasm-relaxed-simd');
  checkVersions();
  const isCheck = process.argv.includes('--check');
  const folder = mkdtempSync(join(tmpdir(), 'kernels-'));
  try {
    for (const build of BUILDS) {
      deliver(join(target, build.name), await compile(build, folder), isCheck);
    }
    const kernels = readKernels(COMPILER, here, sourcesOf(false));
    const header = readFileSync(join(here, 'cuda/launchers.h'), 'utf8');
    const tables = { kernel: tableText(kernels), cuda: cudaTableText(header, kernels) };
    for (const [name, text] of Object.entries(tables)) {
      deliver(join(here, `native/${name}-table.h`), Buffer.from(text), isCheck);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

await main();
