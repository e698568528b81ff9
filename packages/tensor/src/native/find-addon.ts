/**
 * Which machine code of our kernels this machine has: from a package, or from `lab-tensor setup`.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { BackendError } from '@lab/core';
import { findBuild } from './build.js';
import { type KernelAddon, loadAddon } from './kernel-addon.js';
import { readSetup } from './places.js';

/** Set to a path, that addon is used; set to `none`, kernels run as wasm. */
const ADDON_SWITCH = 'LAB_TENSOR_ADDON';

/** What the levels of x86-64 need of a processor, by the names of Linux; the better one first. */
const LEVELS: readonly (readonly [level: string, flags: readonly string[]])[] = [
  ['x86-64-v4', ['avx512f', 'avx512bw', 'avx512cd', 'avx512dq', 'avx512vl']],
  ['x86-64-v3', ['avx2', 'bmi1', 'bmi2', 'f16c', 'fma', 'movbe']],
];

/** What there is, and half a sentence on why. */
export interface FoundAddon {
  readonly addon: KernelAddon | null;
  readonly why: string;
}

/** The best level of x86-64 that a processor with these flags has, or null. */
export function levelOf(flags: readonly string[]): string | null {
  const v3 = LEVELS[1]![1];
  const found = LEVELS.find(([, needed]) =>
    [...needed, ...v3].every((flag) => flags.includes(flag)),
  );
  return found?.[0] ?? null;
}

function processorFlags(): string[] {
  try {
    const text = readFileSync('/proc/cpuinfo', 'utf8');
    return /^flags\s*:\s*(.*)$/m.exec(text)?.[1]?.split(' ') ?? [];
  } catch {
    return []; // not Linux
  }
}

/** The addon of the package for this platform, or null where there is none. */
function prebuiltAddon(): string | null {
  const name = `@lab/tensor-${process.platform}-${process.arch}`;
  const level = levelOf(processorFlags());
  if (level === null) return null;
  try {
    const folder = dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
    const path = join(folder, `lab_kernels.${level}.node`);
    return existsSync(path) ? path : null;
  } catch {
    return null; // not installed
  }
}

/** The addon that `lab-tensor setup` has built, or null. */
const builtAddon = (): string | null => findBuild(readSetup())?.kernels ?? null;

function loadNamed(path: string): KernelAddon {
  try {
    return loadAddon(path);
  } catch (cause) {
    const { message } = cause as Error;
    throw new BackendError(
      `tensor: ${path}, which ${ADDON_SWITCH} names, does not load: ${message}`,
      {
        cause,
        help: `Set ${ADDON_SWITCH} to a lab_kernels.node, to none for wasm alone, or not at all.`,
      },
    );
  }
}

/**
 * The addon with our kernels that this machine has; without one kernels run as wasm.
 *
 * One that does not load, for an older C library say, is passed over.
 *
 * @throws {BackendError} when the one that the user has named does not load.
 */
export function findAddon(): FoundAddon {
  const named = process.env[ADDON_SWITCH];
  if (named === 'none') return { addon: null, why: `${ADDON_SWITCH} says none` };
  if (named !== undefined && named !== '') return { addon: loadNamed(named), why: named };
  let why = 'no package with machine code for this platform is installed';
  // One after the other: to know its build a setup reads all sources.
  for (const find of [prebuiltAddon, builtAddon]) {
    const path = find();
    if (path === null) continue;
    try {
      return { addon: loadAddon(path), why: path };
    } catch (error) {
      why = `${path} does not load: ${(error as Error).message}`;
    }
  }
  return { addon: null, why };
}
