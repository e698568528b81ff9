/** `lab-tensor bench`: what every operation costs here, beside PyTorch where there is one. */
import { loadavg } from 'node:os';
import { ConfigError, describeEnvironment, formatCounted, formatDuration } from '@lab/core';
import type { CliCommand, CliContext, CliInput } from '@lab/core/cli';
import { type BackendChoice, type BackendReport, selectBackend } from '../backend.js';
import { candidatesFor } from '../backend-candidates.js';
import { kernelsText } from './doctor.js';
import type { BenchMachine, BenchResult } from '../bench/bench-result.js';
import { benchTable } from '../bench/bench-table.js';
import type { BenchOperation } from '../bench/operation.js';
import { benchOperations } from '../bench/operations.js';
import { runOperations } from '../bench/run-operations.js';
import { startTorch } from '../bench/torch-process.js';
import { quotaProcessors } from '../thread-count.js';

/** The verb `bench`. */
export const benchCommand: CliCommand = {
  name: 'bench',
  summary: 'Measure every operation, beside PyTorch where a Python with torch is given.',
  options: [
    {
      flags: '--backend <name>',
      summary: 'what computes',
      choices: ['auto', ...candidatesFor('auto').map(({ name }) => name)],
      unit: 'default auto',
    },
    { flags: '--only <regex>', summary: 'operations whose name matches', unit: 'default all' },
    {
      flags: '--threads <n>',
      summary: 'threads of wasm, and of PyTorch',
      kind: 'integer',
      unit: 'default as many as processors may be used',
    },
    { flags: '--python <path>', summary: 'a Python with torch, to measure beside it' },
  ],
  example: 'lab-tensor bench --only matmul --python python3',
  run: async (context, input) => {
    const operations = chosenOperations(input.options['only']);
    const backend = await chosenBackend(context, input.options);
    context.addFact('backend', backend.name);
    const result = await measure(context, input, { operations, backend });
    context.printJson({ status: 'success', ...result });
    printResult(context, result);
  },
};

function chosenOperations(only: unknown): readonly BenchOperation[] {
  if (typeof only !== 'string') return benchOperations;
  let pattern: RegExp;
  try {
    pattern = new RegExp(only);
  } catch (cause) {
    throw new ConfigError(`--only: ${(cause as Error).message}.`, {
      cause,
      help: 'write a regular expression, e.g. --only "^matmul"',
    });
  }
  const chosen = benchOperations.filter(({ name }) => pattern.test(name));
  if (chosen.length > 0) return chosen;
  throw new ConfigError(`--only: no operation matches ${JSON.stringify(only)}.`, {
    help: `the operations are ${benchOperations.map(({ name }) => name).join(', ')}`,
  });
}

async function chosenBackend(
  { logger }: CliContext,
  { threads, backend = 'auto' }: CliInput['options'],
): Promise<BackendReport> {
  const given = typeof threads === 'number' ? { threads } : {};
  return selectBackend(backend as BackendChoice, { logger, ...given });
}

function machineWith(load: BenchMachine['load']): BenchMachine {
  const { node: _, ...machine } = describeEnvironment();
  return { ...machine, quotaProcessors: quotaProcessors() ?? null, load };
}

const loadNow = () => Number((loadavg()[0] as number).toFixed(2));

interface Chosen {
  readonly operations: readonly BenchOperation[];
  readonly backend: BackendReport;
}

async function measure(
  context: CliContext,
  { options }: CliInput,
  { operations, backend }: Chosen,
): Promise<BenchResult> {
  const start = performance.now();
  const load = loadNow();
  const date = new Date().toISOString().slice(0, 10);
  const { python } = options;
  const torch = typeof python === 'string' ? await startTorch(python, backend.threads) : null;
  try {
    const { rows, skipped } = await runOperations(operations, {
      ...{ backend, torch, signal: context.signal },
      onProgress: (op, done) => context.progress.update(op, done / operations.length),
    });
    context.progress.done();
    return {
      bench: 'lab-tensor bench',
      date,
      machine: machineWith({ start: load, end: loadNow() }),
      node: process.versions.node,
      backend,
      pytorch: torch?.report ?? null,
      rows,
      skipped,
      seconds: Math.round((performance.now() - start) / 1000),
    };
  } finally {
    torch?.close();
  }
}

function printResult(context: CliContext, result: BenchResult): void {
  const { backend, machine, node, pytorch, rows, skipped, seconds } = result;
  const simd = backend.simd === null ? '' : `, ${kernelsText(backend.simd)}`;
  const threads = formatCounted(backend.threads, 'thread');
  context.print(`backend  ${backend.name}${simd}, ${threads}; Node ${node}\n`);
  if (pytorch !== null) {
    const { version, torchGeometric } = pytorch;
    const geometric = torchGeometric === null ? '' : `, torch-geometric ${torchGeometric}`;
    const same = formatCounted(pytorch.threads, 'thread');
    context.print(`beside   PyTorch ${version}${geometric}, ${same}; its fastest form counts\n`);
  }
  const load = `load ${machine.load.start} to ${machine.load.end}`;
  context.print(`machine  ${machine.cpu}, ${formatCounted(machine.cores, 'core')}, ${load}\n\n`);
  if (rows.length > 0) context.print(benchTable(rows));
  for (const { op, backend: where, form, why } of skipped) {
    const which = form === undefined ? where : `${where}, ${form}`;
    context.print(`not measured: ${op} (${which}): ${why}\n`);
  }
  const samples = Math.min(...rows.map((row) => row.samples));
  const least = rows.length === 0 ? '' : `median of at least ${formatCounted(samples, 'sample')}; `;
  context.print(`\n${least}${formatDuration(seconds)} in all\n`);
}
