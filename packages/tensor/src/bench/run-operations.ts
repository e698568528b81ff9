import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom } from '@lab/core';
import type { BackendReport } from '../backend.js';
import { tf } from '../tfjs.js';
import type { BenchRow, SkippedOperation } from './bench-result.js';
import { type Contestant, type MeasureOptions, measureInTurns } from './measure.js';
import type { BenchOperation, PreparedOperation, Work } from './operation.js';
import { sampleOperation } from './own-side.js';
import type { Timing } from './statistics.js';
import type { TorchProcess } from './torch-process.js';

/** What {@link runOperations} needs besides the operations. */
export interface RunOptions {
  /** The backend in use. */
  readonly backend: BackendReport;
  /** The peer, or null to measure ours alone. */
  readonly torch: TorchProcess | null;
  readonly signal?: AbortSignal | undefined;
  /** Told before each operation, with how many of all are done. */
  readonly onProgress?: (op: string, done: number) => void;
  /** Milliseconds of a clock that only moves forward; default `performance.now()`. */
  readonly now?: () => number;
  /** Most time for all, ms; default 13 minutes. What is left then is skipped. */
  readonly totalMs?: number;
}

const ROUNDS = 7;
const SAMPLE_MS = 40;
/** Ours is compiled while it runs: a small operation is at its speed after some 100,000 calls. */
const WARM_MS = 300;
const PAUSE_MS = 30;
const TOTAL_MS = 13 * 60_000;
/** Most time for the rounds of one operation, ms. */
const OPERATION_MS = 20_000;
/** Workers start with the first job and take some time to come up, ms. */
const WAKE_MS = 400;

/** What {@link runOperations} found. */
export interface BenchOutcome {
  readonly rows: readonly BenchRow[];
  readonly skipped: readonly SkippedOperation[];
}

/** Gives the worker threads jobs until they have had time to come up. */
async function wakeThreads(now: () => number): Promise<void> {
  const x = tf.ones<tf.Rank.R2>([512, 512]);
  for (const start = now(); now() - start < WAKE_MS; await sleep(PAUSE_MS)) {
    tf.dispose(tf.matMul(x, x));
  }
  x.dispose();
}

function ratesOf(work: Work, { wallMs }: Timing): Partial<BenchRow> {
  const perSecond = (amount: number) => Number((amount / wallMs / 1e6).toPrecision(4));
  return {
    ...(work.flop === undefined ? {} : { gflopPerSecond: perSecond(work.flop) }),
    ...(work.bytes === undefined ? {} : { gbPerSecond: perSecond(work.bytes) }),
  };
}

/** The operation, run once so that what a backend cannot do shows before the clock runs. */
function tryOperation(operation: BenchOperation): PreparedOperation {
  const prepared = operation.prepare(createRandom(1).fork(operation.name));
  try {
    tf.dispose(prepared.run());
    return prepared;
  } catch (error) {
    prepared.dispose();
    throw error;
  }
}

async function torchForms(
  operation: BenchOperation,
  torch: TorchProcess | null,
  skipped: SkippedOperation[],
): Promise<readonly string[]> {
  if (torch === null) return [];
  const { forms, failed } = await torch.prepare(operation.name);
  for (const [form, why] of Object.entries(failed)) {
    skipped.push({ op: operation.name, backend: 'pytorch', form, why });
  }
  return forms;
}

interface Measurement {
  readonly run: RunOptions;
  readonly timing: MeasureOptions;
  readonly skipped: SkippedOperation[];
}

/** Times the operation beside PyTorch's forms of it; our row comes first. */
async function measureOperation(
  operation: BenchOperation,
  prepared: PreparedOperation,
  { run, timing, skipped }: Measurement,
): Promise<BenchRow[]> {
  const { backend, torch } = run;
  const forms = await torchForms(operation, torch, skipped);
  const own: Contestant = { sample: (count) => sampleOperation(prepared, count) };
  const peers = forms.map((form): Contestant => {
    return { sample: (count) => torch!.run(form, count) };
  });
  const [first, ...others] = await measureInTurns([own, ...peers], timing);
  await torch?.release();
  const ratio = first!.wallMs / Math.min(...others.map(({ wallMs }) => wallMs));
  const { name: op, work, isDetail } = operation;
  const common = (timed: Timing) => ({ ...timed, ...ratesOf(work, timed) });
  const detail = isDetail === true ? { isDetail } : {};
  const { name, threads } = backend;
  return [
    {
      ...{ op, backend: name, threads, ...common(first!), ...detail },
      ...(ratio > 0 ? { ratio: Number(ratio.toPrecision(3)) } : {}),
    },
    ...others.map((timed, index) => {
      const form = forms[index]!;
      const peer = { op, backend: 'pytorch', form, threads: torch!.report.threads };
      return { ...peer, ...common(timed), ...detail };
    }),
  ];
}

/** The rows of one operation, or the reason why it has none. */
async function rowsOrSkip(operation: BenchOperation, context: Measurement): Promise<BenchRow[]> {
  const { timing, skipped, run } = context;
  const skip = (why: string): BenchRow[] => {
    skipped.push({ op: operation.name, backend: run.backend.name, why });
    return [];
  };
  if (timing.limitMs <= 0) return skip('the time of the bench was over');
  if (operation.needsWasm === true && run.backend.name !== 'wasm') {
    return skip('a kernel of the backend wasm');
  }
  let prepared: PreparedOperation;
  try {
    prepared = tryOperation(operation);
  } catch (error) {
    return skip(error instanceof Error ? error.message : String(error));
  }
  try {
    return await measureOperation(operation, prepared, context);
  } finally {
    prepared.dispose();
  }
}

/**
 * The rows of all operations on the backend in use, each beside PyTorch in turns, and what could
 * not be measured.
 *
 * @throws {DOMException} named `AbortError` when the signal is aborted.
 */
export async function runOperations(
  operations: readonly BenchOperation[],
  options: RunOptions,
): Promise<BenchOutcome> {
  const now = options.now ?? (() => performance.now());
  const pause = async (milliseconds: number) => {
    await sleep(milliseconds);
  };
  const lengths = { rounds: ROUNDS, sampleMs: SAMPLE_MS, warmMs: WARM_MS, pauseMs: PAUSE_MS };
  const base = { ...lengths, now, pause };
  const end = now() + (options.totalMs ?? TOTAL_MS);
  const rows: BenchRow[] = [];
  const skipped: SkippedOperation[] = [];
  await wakeThreads(now);
  for (const [done, operation] of operations.entries()) {
    options.onProgress?.(operation.name, done);
    const limitMs = Math.min(OPERATION_MS, end - now());
    const timing = { ...base, limitMs, signal: options.signal };
    rows.push(...(await rowsOrSkip(operation, { run: options, timing, skipped })));
  }
  return { rows, skipped };
}
