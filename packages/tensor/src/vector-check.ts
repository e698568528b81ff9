/**
 * How wide the vectors of products are: 256 bits after a check in a process of its own, whose
 * outcome is kept for the machine.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  canonicalJson,
  describeEnvironment,
  LabError,
  makeFolder,
  sha256,
  writeFileAtomic,
} from '@lab/core';

/** Width of the vectors of products, and why it is not, or may be, 256. */
export interface VectorWidth {
  readonly vectorBits: 128 | 256;
  readonly why: string;
}

/** Settings of {@link checkVectors}; tests give their own. */
export interface VectorCheckOptions {
  /** The program that runs the check. */
  readonly program?: string;
  readonly engine?: { readonly node: string; readonly arch: string };
  /** Arguments before the module. */
  readonly script?: readonly string[];
  /** Where outcomes are kept; default LAB_CACHE, else `.cache/lab` of the user. */
  readonly folder?: string;
  readonly timeoutMs?: number;
  /** Checks again although an outcome is known. */
  readonly isAnew?: boolean;
}

/** The first version whose optimising compiler joins operations usefully. */
const FIRST_NODE = 24;

/** The least gain for which code that the engine calls experimental is used. */
const LEAST_RATIO = 1.1;

/**
 * The width that this machine is fit for.
 *
 * @param tile - bytes of the tile's module, as they will be compiled, with shared memory.
 */
export async function checkVectors(
  tile: Uint8Array,
  options: VectorCheckOptions = {},
): Promise<VectorWidth> {
  const hindrance = hindranceHere(options);
  if (hindrance !== null) return { vectorBits: 128, why: hindrance };
  const { node, v8, cpu } = describeEnvironment();
  const subject = { node, v8, cpu, module: sha256(tile) };
  const folder = join(options.folder ?? process.env['LAB_CACHE'] ?? defaultCache(), 'tensor');
  const path = join(folder, `vectors-${sha256(canonicalJson(subject)).slice(0, 16)}.json`);
  const known = options.isAnew === true ? null : readOutcome(path);
  if (known !== null) return known;
  const found = await runCheck(tile, options);
  if (found.isLasting) keepOutcome(folder, path, { ...subject, ...found.width });
  return found.width;
}

const defaultCache = () => join(homedir(), '.cache', 'lab');

function hindranceHere({ program, engine }: VectorCheckOptions): string | null {
  const { node, arch } = engine ?? { node: process.versions.node, arch: process.arch };
  if (Number.parseInt(node, 10) < FIRST_NODE) return `Node ${node} has no wider ones`;
  if (arch !== 'x64') return `there are no wider ones on ${arch}`;
  // Another program, such as an application with Node inside, would start itself once more.
  const name = basename(program ?? process.execPath);
  return /^node(js)?(\.exe)?$/.test(name) ? null : `${name} is not Node, which would check others`;
}

function readOutcome(path: string): VectorWidth | null {
  try {
    const { vectorBits, why } = JSON.parse(readFileSync(path, 'utf8')) as VectorWidth;
    return (vectorBits === 128 || vectorBits === 256) && typeof why === 'string'
      ? { vectorBits, why }
      : null;
  } catch {
    return null; // none yet, or not readable: checked again
  }
}

/** Writes the outcome; where nothing can be written, the next process checks again. */
function keepOutcome(folder: string, path: string, outcome: VectorWidth): void {
  try {
    makeFolder(folder);
    writeFileAtomic(path, `${JSON.stringify(outcome)}\n`);
  } catch (error) {
    if (!LabError.is(error)) throw error;
  }
}

interface Found {
  readonly width: VectorWidth;
  /** Whether the next process would find the same. */
  readonly isLasting: boolean;
}

const narrow = (why: string): VectorWidth => ({ vectorBits: 128, why });

function runCheck(tile: Uint8Array, options: VectorCheckOptions): Promise<Found> {
  const own = [fileURLToPath(new URL('./kernels/check-tile.mjs', import.meta.url))];
  const { program = process.execPath, script = own, timeoutMs = 3000 } = options;
  const { NODE_OPTIONS: _, ...env } = process.env;
  const argv = [...script, Buffer.from(tile).toString('base64')];
  return new Promise((resolve) => {
    const failed = (error: unknown) =>
      resolve({ width: narrow(`their check did not start: ${String(error)}`), isLasting: false });
    try {
      const child = spawn(program, argv, {
        ...{ env, cwd: tmpdir(), stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true },
        ...{ timeout: timeoutMs, killSignal: 'SIGKILL' },
      });
      const output = { stdout: '', stderr: '' };
      for (const name of ['stdout', 'stderr'] as const) {
        child[name].setEncoding('utf8').on('data', (text: string) => {
          output[name] += text;
        });
      }
      child.on('error', failed);
      child.on('close', (code, signal) => {
        resolve({ width: widthOf({ code, signal, ...output }), isLasting: true });
      });
    } catch (error) {
      failed(error); // a process may be forbidden to start others
    }
  });
}

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

function widthOf({ code, signal, stdout, stderr }: Ended): VectorWidth {
  if (code !== 0) return narrow(`their check ended with ${signal ?? `exit code ${code}`}`);
  if (stderr.includes('unrecognized flag')) return narrow('this Node has no flag for wider ones');
  let found: { same?: unknown; ratio?: unknown };
  try {
    found = JSON.parse(stdout) as typeof found;
  } catch {
    return narrow('their check printed no outcome');
  }
  const { same, ratio } = found;
  if (same !== true) return narrow('wider ones give other bits here');
  if (!(Number(ratio) >= LEAST_RATIO)) return narrow(`wider ones are ${ratio} times as fast here`);
  return { vectorBits: 256, why: `checked here: the same bits, ${ratio} times as fast` };
}
