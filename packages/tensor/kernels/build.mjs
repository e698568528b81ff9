// Builds the kernels: `node kernels/build.mjs` writes src/kernels/*.wasm, `--check` compares.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import v8 from 'node:v8';

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
  '--export=__stack_pointer',
  '--strip-all',
  '--stack-first',
  '-zstack-size=65536',
];

const BUILDS = [
  { name: 'simd.wasm', flags: [] },
  { name: 'relaxed-simd.wasm', flags: ['-mrelaxed-simd'] },
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

/** Throws when the module has a data segment: it would land at a fixed address of the heap. */
function assertNoData(name, bytes) {
  const module = new WebAssembly.Module(bytes);
  const imports = WebAssembly.Module.imports(module).map((entry) => entry.name);
  if (imports.join() !== 'memory') throw new Error(`kernels: ${name} imports ${imports.join()}.`);
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

function compile(build, folder) {
  const sources = readdirSync(here)
    .filter((file) => file.endsWith('.c'))
    .sort();
  const objects = sources.map((source) => {
    const object = join(folder, `${build.name}-${source}.o`);
    const map = `-ffile-prefix-map=${here}=.`;
    run(COMPILER, [...FLAGS, ...build.flags, map, '-c', join(here, source), '-o', object]);
    return object;
  });
  const output = join(folder, build.name);
  run(LINKER, [...LINK_FLAGS, ...objects, '-o', output]);
  const bytes = readFileSync(output);
  assertNoData(build.name, bytes);
  return bytes;
}

function main() {
  v8.setFlagsFromString('--experimental-wasm-relaxed-simd');
  checkVersions();
  const check = process.argv.includes('--check');
  const folder = mkdtempSync(join(tmpdir(), 'kernels-'));
  try {
    for (const build of BUILDS) {
      const bytes = compile(build, folder);
      const path = join(target, build.name);
      if (!check) writeFileSync(path, bytes);
      else if (!bytes.equals(readFileSync(path))) {
        throw new Error(`kernels: ${build.name} differs from its sources; run kernels/build.mjs.`);
      }
      process.stdout.write(
        `${build.name}: ${bytes.length} bytes${check ? ', as committed' : ''}\n`,
      );
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

main();
