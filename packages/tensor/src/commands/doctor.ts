/** `lab-tensor doctor`: which backends there are, which is chosen and why. */
import { availableParallelism } from 'node:os';
import {
  BackendError,
  describeEnvironment,
  type Environment,
  exitCodeOf,
  formatBytes,
  formatCounted,
  silentLogger,
} from '@lab/core';
import { type CliCommand, type CliContext, table } from '@lab/core/cli';
import { fitVectorWidth } from '../backend-candidates.js';
import { findAddon } from '../native/find-addon.js';
import { readSetup } from '../native/places.js';
import { availableThreads, quotaProcessors } from '../thread-count.js';
import type { VectorWidth } from '../vector-check.js';
import { type BackendState, examineBackends } from './examine-backends.js';

/** The verb `doctor`. */
export const doctorCommand: CliCommand = {
  name: 'doctor',
  summary: 'Say which backends there are, which one is chosen and why.',
  options: [],
  example: 'lab-tensor doctor',
  run: async (context) => {
    context.progress.update('trying the backends');
    const products = await fitVectorWidth(true);
    const backends = await examineBackends({
      ...silentLogger,
      info: (text) => context.progress.update(text),
    });
    context.progress.done();
    const machine = machineFacts(describeEnvironment());
    const chosen = backends.find(({ state }) => state === 'works')?.name ?? null;
    const reason = chosen === null ? 'no backend works' : reasonOf(chosen);
    const status = chosen === null ? 'error' : 'success';
    context.printJson({ status, chosen, reason, products, backends, machine });
    print(context, { chosen, reason, products, backends, machine });
    return chosen === null ? exitCodeOf(new BackendError(reason)) : 0;
  },
};

function reasonOf(chosen: string): string {
  const first = 'first in the order that comes up and passes the self-test';
  return chosen === 'cpu' ? `${first}; it is fit for tests only` : first;
}

interface MachineFacts extends Environment {
  readonly processors: number;
  /** Processors that the control group's quota allows, null without one. */
  readonly quotaProcessors: number | null;
  /** Threads that are used unless another number is asked for. */
  readonly threads: number;
}

function machineFacts(environment: Environment): MachineFacts {
  return {
    ...environment,
    processors: availableParallelism(),
    quotaProcessors: quotaProcessors() ?? null,
    threads: availableThreads(),
  };
}

interface Findings {
  readonly chosen: string | null;
  readonly reason: string;
  /** Width of the vectors of products on wasm. */
  readonly products: VectorWidth;
  readonly backends: readonly BackendState[];
  readonly machine: MachineFacts;
}

/** What lab-tensor setup has found. */
function setupText(): string {
  const setup = readSetup();
  if (setup === null) return 'not set up; lab-tensor setup compiles it for a TensorFlow here';
  const kind = setup.isCuda ? ' for CUDA' : '';
  return `${setup.tensorflowVersion}${kind} in ${setup.tensorflow}, set up ${setup.date}`;
}

/** Which machine code there is for kernels on wasm, or why there is none. */
function machineCodeText(): string {
  try {
    return findAddon().why;
  } catch (error) {
    return (error as Error).message.replace(/^tensor: /, '');
  }
}

/** How our kernels run, in words. */
export const kernelsText = (simd: string): string =>
  simd === 'native' ? 'kernels as machine code' : `${simd} SIMD`;

function factsText(state: BackendState): string {
  if (state.state !== 'works') return state.why;
  const { simd, threads, memoryLimitBytes } = state.facts;
  const memory = state.sharedMemory === true ? ' on shared memory' : '';
  return [
    ...(simd === null ? [] : [kernelsText(simd)]),
    `${formatCounted(threads, 'thread')}${memory}`,
    ...(memoryLimitBytes === null
      ? []
      : [`${state.name === 'wasm' ? 'heap' : 'memory'} of ${formatBytes(memoryLimitBytes)}`]),
    ...(state.name === 'cpu' ? ['for tests only'] : []),
  ].join(', ');
}

function print(context: CliContext, findings: Findings): void {
  const { chosen, reason, products, backends, machine } = findings;
  const { node, v8, cpu, memoryBytes, processors, quotaProcessors: quota, threads } = machine;
  const limit = quota === null ? 'no quota' : `quota ${formatCounted(quota, 'processor')}`;
  const lines = [
    ['node', `${node} (V8 ${v8}), ${machine.platform} ${machine.arch}`],
    ['processor', cpu],
    ['threads', `${threads} (${formatCounted(processors, 'processor')}, ${limit})`],
    ['memory', formatBytes(memoryBytes)],
    ['products', `${products.vectorBits}-bit vectors: ${products.why}`],
    ['machine code', machineCodeText()],
    ['tensorflow', setupText()],
    ['chosen', chosen === null ? reason : `${chosen}: ${reason}`],
  ];
  for (const [name, value] of lines) context.print(`${name!.padEnd(12)} ${value}\n`);
  const rows = backends.map((state) => ({
    backend: state.name,
    state: state.state,
    facts: factsText(state),
  }));
  context.print(`\n${table(rows, ['backend', 'state', { key: 'facts', heading: '' }])}`);
  const needs = backends.flatMap((state) =>
    state.state === 'works' || state.needs === null ? [] : [`  ${state.name}: ${state.needs}\n`],
  );
  if (needs.length > 0) context.print(`\nto have the others\n${needs.join('')}`);
}
