import { kernelRunner } from '../active-kernels.js';
import { countKernel } from '../kernel-report.js';
import { tf } from '../tfjs.js';
import type { BlockWork } from '../thread-pool.js';
import type { KernelRunner, TensorMemory } from '../kernel-module.js';

/** One run of a kernel of ours: its tensors, attributes and memory. */
export interface KernelCall {
  readonly kernels: KernelRunner;
  /** The named input; present by the kernel's contract. */
  input(name: string): tf.TensorInfo;
  /** All inputs in their order, for kernels that take a list. */
  inputs(): tf.TensorInfo[];
  /** Byte address of a tensor's values. */
  address(tensor: tf.TensorInfo): number;
  /** The named attribute. */
  attribute<T>(name: string): T;
  /** A new tensor with undefined values. */
  output(shape: readonly number[], dtype?: tf.DataType): tf.TensorInfo;
  /** Runs `body` with the address of that many bytes, which are freed afterwards. */
  temporary<T>(bytes: number, body: (address: number) => T): T;
  /** Calls an exported C function. */
  run(name: string, ...values: number[]): number;
  /** Calls `kernel(begin, end, scratch, ...values)` for blocks of the work, on all threads. */
  runBlocks(work: BlockWork, ...values: number[]): void;
}

/** Bytes of a float or an integer. */
export const NUMBER_BYTES = 4;

/** Values that a block reads or writes, about: some 50 microseconds of cheap work. */
const BLOCK_VALUES = 2 ** 16;

/**
 * Items of a block of a kernel that touches `values` values for each: never fewer than one, and
 * whole vectors of items where there are many.
 */
export function blockOf(values: number): number {
  const items = Math.max(1, Math.floor(BLOCK_VALUES / Math.max(values, 1)));
  return items < 16 ? items : items - (items % 16);
}

/** What registering a kernel needs: its name and the function of a call. */
export interface OwnKernel {
  readonly name: string;
  readonly compute: (call: KernelCall) => tf.TensorInfo | tf.TensorInfo[];
}

/**
 * Items in few blocks, each of which has a partial sum of its own; the kernel touches `values`
 * values for an item.
 */
export function partWork(
  { kernels }: KernelCall,
  count: number,
  values: number,
): { count: number; block: number } {
  return { count, block: Math.max(blockOf(values), Math.ceil(count / kernels.mostParts)) };
}

interface KernelArguments {
  readonly inputs: tf.NamedTensorInfoMap;
  readonly attrs?: tf.NamedAttrMap;
}

/** A call on the kernels in use; fields are what kernels hand on, methods the rest. */
class PresentCall implements KernelCall {
  readonly kernels = kernelRunner() as KernelRunner;
  readonly address = this.kernels.memory.addressOf;
  readonly run = this.kernels.call;
  readonly runBlocks = this.kernels.callBlocks;
  readonly input = (name: string): tf.TensorInfo => this.#inputs[name] as tf.TensorInfo;
  readonly #inputs: tf.NamedTensorInfoMap;
  readonly #attrs: tf.NamedAttrMap | undefined;

  constructor({ inputs, attrs }: KernelArguments) {
    this.#inputs = inputs;
    this.#attrs = attrs;
  }

  inputs(): tf.TensorInfo[] {
    return Object.values(this.#inputs) as tf.TensorInfo[];
  }

  attribute<T>(name: string): T {
    return this.#attrs?.[name] as T;
  }

  output(shape: readonly number[], dtype: tf.DataType = 'float32'): tf.TensorInfo {
    return this.kernels.memory.output(shape, dtype);
  }

  temporary<T>(bytes: number, body: (address: number) => T): T {
    return withTemporary(this.kernels.memory, bytes, body);
  }
}

function withTemporary<T>(memory: TensorMemory, bytes: number, body: (address: number) => T): T {
  const address = memory.allocate(bytes);
  try {
    return body(address);
  } finally {
    memory.free(address);
  }
}

const registered = new Set<string>();

/** Names of the kernels registered for wasm by {@link registerOwnKernel}. */
export function registeredKernels(): ReadonlySet<string> {
  return registered;
}

/** A backend that kernels are registered for, and which of them; null: all. */
export interface RegistrationTarget {
  readonly backend: 'wasm' | 'tensorflow';
  readonly only: ReadonlySet<string> | null;
}

let target: RegistrationTarget = { backend: 'wasm', only: null };

/** What stood in the place of the kernels registered for a backend; null: nothing. */
const replaced = new Map<string, Map<string, tf.KernelConfig | null>>();

/**
 * Operations whose kernels of TensorFlow are faster than ours, which have vectors of 128 bits.
 */
const STOCK_ON_TENSORFLOW: ReadonlySet<string> = new Set([
  ...[tf._FusedMatMul, tf.Identity, tf.Concat, tf.Tanh, tf.Sqrt],
]);

/** Runs `body`, whose kernels are registered for that target, in place of all before. */
export function registerFor(wanted: RegistrationTarget, body: () => void): void {
  for (const [kernelName, stock] of replaced.get(wanted.backend) ?? []) {
    tf.unregisterKernel(kernelName, wanted.backend);
    if (stock !== null) tf.registerKernel(stock);
  }
  replaced.set(wanted.backend, new Map());
  target = wanted;
  body();
}

/**
 * Registers a kernel for the present target, in place of a stock one of the same name.
 *
 * @param kernel - name and function.
 * @param isOurs - decides from the inputs whether our kernel applies; else the stock one runs.
 */
export function registerOwnKernel(
  kernel: OwnKernel,
  isOurs?: (inputs: tf.NamedTensorInfoMap, attrs: tf.NamedAttrMap | undefined) => boolean,
): void {
  const { backend: backendName, only } = target;
  if (only !== null && !only.has(kernel.name)) return;
  const stock = tf.getKernel(kernel.name, backendName) as tf.KernelConfig | undefined;
  if (stock != null && backendName === 'tensorflow' && STOCK_ON_TENSORFLOW.has(kernel.name)) return;
  if (stock != null) tf.unregisterKernel(kernel.name, backendName);
  replaced.get(backendName)?.set(kernel.name, stock ?? null);
  if (backendName === 'wasm') registered.add(kernel.name);
  const kernelFunc = (args: KernelArguments) => {
    const usesOurs = stock == null || isOurs === undefined || isOurs(args.inputs, args.attrs);
    countKernel(kernel.name, usesOurs);
    if (usesOurs) return kernel.compute(new PresentCall(args));
    return stock.kernelFunc(args as unknown as Parameters<tf.KernelFunc>[0]);
  };
  tf.registerKernel({
    kernelName: kernel.name,
    backendName,
    kernelFunc: kernelFunc as unknown as tf.KernelFunc,
    ...(stock?.setupFunc === undefined ? {} : { setupFunc: stock.setupFunc }),
  });
}

/** Writes `count` values times a factor; `to` may be `from`. */
export function scaleValues(
  call: KernelCall,
  count: number,
  { from, factor, to }: { from: number; factor: number; to: number },
): void {
  call.runBlocks({ kernel: 'scale_values', count, block: blockOf(2) }, from, factor, to);
}

/** Number of elements of a shape. */
export const sizeOf = (shape: readonly number[]): number =>
  tf.util.sizeFromShape(shape as number[]);
