/**
 * tfjs-node on the TensorFlow that `lab-tensor setup` found, and our kernels on its tensors.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { BackendError, formatBytes } from '@lab/core';
import type { KernelMemory, KernelModule } from '../kernel-module.js';
import { tf } from '../tfjs.js';
import type { NativeBuild } from './build.js';
import { type KernelAddon, loadAddon, nativeKernels } from './kernel-addon.js';

/** A part of the binding of tfjs-node, and our additions; see kernels/native/tensorflow.cc. */
export interface TensorflowBinding {
  readonly TF_INT32: number;
  readonly TF_ATTR_BOOL: number;
  deleteTensor(id: number): void;
  createTensor(shape: readonly number[], dtype: number, values: Int32Array): number;
  tensorDataSync(id: number): Float32Array | Int32Array;
  /** Runs a stock operation; what is not among the attributes follows from the inputs. */
  executeOp(
    name: string,
    attributes: readonly { name: string; type: number; value: boolean }[],
    ids: readonly number[],
    outputs: number,
  ): { id: number }[];
  /** The id of a tensor with undefined values; where they lie is written to `place`. */
  labAllocate(shape: readonly number[], dtype: number, place: Float64Array): number;
  /** The same on the device of the backend. */
  labEmpty(shape: readonly number[], dtype: number): number;
  labAddressOf(id: number): number;
  labOwnersOf(id: number): number;
  /** The id of a tensor with the same values under another shape. */
  labReshape(id: number, shape: readonly number[]): number;
  /** Runs the operation of kernels/native/ops.cc on the first numbers of a job. */
  labRun(operation: string, job: Float64Array, length: number, ids: readonly number[]): void;
}

/** What tfjs-node knows of a tensor, and where its values lie once our kernels have asked. */
interface TensorRecord {
  shape: readonly number[];
  dtype: number;
  id: number;
  /** Values that wait in JavaScript for their first use. */
  values: unknown;
  refCount: number;
  address?: number;
}

/** The part of tfjs-node's backend that our kernels work with. */
export interface TensorflowBackend {
  readonly binding: TensorflowBinding;
  readonly tensorMap: {
    get(dataId: object): TensorRecord;
    set(dataId: object, record: TensorRecord): void;
  };
  /** Ids of the tensors' handles; values that wait in JavaScript go to TensorFlow first. */
  getInputTensorIds(tensors: readonly tf.TensorInfo[]): number[];
  getDTypeInteger(dtype: tf.DataType): number;
  disposeData(dataId: object): boolean;
  refCount(dataId: object): number;
  incRef(dataId: object): void;
}

type BackendClass = new (binding: object, packageName: string) => object;

const NAME = 'tensorflow';

/**
 * Registers tfjs-node's backend and kernels on a binding of our own.
 *
 * @param tfjsNode - folder of `@tensorflow/tfjs-node`.
 * @param build - with a binding.
 * @throws {BackendError} when the build or what it is linked with does not load.
 */
export function registerTensorflow(tfjsNode: string, build: NativeBuild): void {
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
  const require = createRequire(join(tfjsNode, 'package.json'));
  require('./dist/register_all_kernels.js');
  const { NodeJSKernelBackend } = require('./dist/nodejs_kernel_backend.js') as {
    NodeJSKernelBackend: BackendClass;
  };
  const addon = loadBinding(build, require);
  if (tf.findBackend(NAME) != null) tf.removeBackend(NAME);
  tf.registerBackend(NAME, () => new NodeJSKernelBackend(addon, NAME) as tf.KernelBackend, 3);
}

function loadBinding({ kernels, binding }: NativeBuild, require: NodeJS.Require): object {
  try {
    return quietly(() => require(binding as string) as object, loadAddon(kernels));
  } catch (cause) {
    throw brokenBuild(kernels, cause as Error);
  }
}

/** The error for an addon of a build that does not load. */
export function brokenBuild(path: string, cause: Error): BackendError {
  const { message } = cause;
  return new BackendError(`tensor: the build in ${dirname(path)} does not load: ${message}`, {
    cause,
    help: 'Run lab-tensor remove, then lab-tensor setup again. The backend wasm works without.',
  });
}

/** What `load` gives; what TensorFlow says of itself meanwhile, on standard error, is not shown. */
function quietly<T>(load: () => T, addon: KernelAddon): T {
  const restore = addon.mute();
  try {
    return load();
  } finally {
    addon.unmute(restore);
  }
}

/** Id of a tensor's handle. */
export const idOf = (backend: TensorflowBackend, tensor: tf.TensorInfo): number =>
  backend.getInputTensorIds([tensor])[0] as number;

/** A tensor of a handle. */
export function tensorOf(
  backend: TensorflowBackend,
  id: number,
  { shape, dtype }: Pick<tf.TensorInfo, 'shape' | 'dtype'>,
): tf.TensorInfo {
  const dataId = {};
  const type = backend.getDTypeInteger(dtype);
  backend.tensorMap.set(dataId, { shape, dtype: type, id, values: null, refCount: 1 });
  return { dataId, shape: [...shape], dtype };
}

/**
 * Counts the tensors that share the values of one; more than one where it cannot be known.
 *
 * Values from JavaScript stay in their array where that happens to lie on a whole cache line. What
 * is done in place must not depend on such luck: its bits may differ from those of new tensors.
 *
 * @param created - id of a tensor of TensorFlow's own, to see how often one owner is counted.
 * @param moveToOwnBuffer - gives a tensor of numbers of 32 bits a buffer of TensorFlow's own.
 */
export function ownerCounter(
  backend: TensorflowBackend,
  created: number,
  moveToOwnBuffer: (tensor: tf.TensorInfo) => void,
): (tensor: tf.TensorInfo) => number {
  const { binding } = backend;
  const alone = binding.labOwnersOf(created);
  binding.deleteTensor(created);
  return (tensor) => {
    const own = backend.refCount(tensor.dataId);
    if (own !== 1) return own;
    if (alone === 0) return 2;
    if (binding.labOwnersOf(idOf(backend, tensor)) === 0) moveToOwnBuffer(tensor);
    // Another tensor, a reshaped one say, may have the same values without tfjs knowing.
    const owners = binding.labOwnersOf(idOf(backend, tensor));
    return owners === 0 || owners > alone ? 2 : 1;
  };
}

/** Gives a tensor of numbers of 32 bits a buffer of TensorFlow's own. */
function moveToOwnBuffer(
  { binding, tensorMap }: TensorflowBackend,
  { dataId }: tf.TensorInfo,
  addon: KernelAddon,
): void {
  const record = tensorMap.get(dataId);
  const place = new Float64Array(1);
  const id = binding.labAllocate(record.shape, record.dtype, place);
  const bytes = 4 * tf.util.sizeFromShape([...record.shape]);
  const bytesAt = (address: number) => new Uint8Array(addon.view(address, bytes));
  if (bytes > 0) bytesAt(place[0] as number).set(bytesAt(binding.labAddressOf(record.id)));
  binding.deleteTensor(record.id);
  Object.assign(record, { id, address: place[0] });
}

/** Room of at least that many bytes is TensorFlow's, where tensors and rooms take turns. */
const TENSOR_ROOM_BYTES = 2 ** 20;

/**
 * Room beside the tensors. Large rooms are tensors of TensorFlow's that tfjs does not know: its
 * allocator keeps what it was given once, and so does that of C, so that two would hold the most
 * that each has needed at different times.
 */
export function roomOf(
  { binding }: TensorflowBackend,
  addon: KernelAddon,
  float32: number,
): Pick<KernelMemory, 'allocate' | 'free'> {
  const ids = new Map<number, number>();
  const place = new Float64Array(1);
  const allocateTensor = (bytes: number): number => {
    const id = binding.labAllocate([Math.ceil(bytes / 4)], float32, place);
    const [address = 0] = place;
    if (address === 0) binding.deleteTensor(id);
    else ids.set(address, id);
    return address;
  };
  return {
    allocate(bytes) {
      const isLarge = bytes >= TENSOR_ROOM_BYTES;
      const address = isLarge ? allocateTensor(bytes) : addon.allocate(bytes);
      if (address !== 0) return address;
      throw new BackendError(`tensor: no memory for another ${formatBytes(bytes)}.`, {
        help: 'Use smaller batches or a machine with more memory.',
      });
    },
    free(address) {
      const id = ids.get(address);
      if (id === undefined) return addon.release(address);
      ids.delete(address);
      binding.deleteTensor(id);
    },
  };
}

/** The memory of TensorFlow's tensors on the CPU, and room beside it, at absolute addresses. */
function memoryOf(backend: TensorflowBackend, addon: KernelAddon): KernelMemory {
  const { binding } = backend;
  const place = new Float64Array(1);
  const float32 = backend.getDTypeInteger('float32');
  const created = binding.labAllocate([1], float32, place);
  const refCount = ownerCounter(backend, created, (tensor) =>
    moveToOwnBuffer(backend, tensor, addon),
  );
  return {
    ...{ addresses: { bytes: 8, base: 0 }, isShared: true, refCount },
    ...roomOf(backend, addon, float32),
    floats: (address, length) => new Float32Array(addon.view(address, 4 * length)),
    ints: (address, length) => new Int32Array(addon.view(address, 4 * length)),
    addressOf(tensor) {
      const record = backend.tensorMap.get(tensor.dataId);
      record.address ??= binding.labAddressOf(idOf(backend, tensor));
      return record.address;
    },
    output(shape, dtype) {
      const type = backend.getDTypeInteger(dtype);
      const dataId = {};
      const id = binding.labAllocate(shape, type, place);
      const record = { shape, dtype: type, id, values: null, refCount: 1, address: place[0] ?? 0 };
      backend.tensorMap.set(dataId, record);
      return { dataId, shape: [...shape], dtype };
    },
    alias(tensor, shape) {
      const { dtype } = tensor;
      const dataId = {};
      const id = binding.labReshape(idOf(backend, tensor), shape);
      const type = backend.getDTypeInteger(dtype);
      backend.tensorMap.set(dataId, { shape, dtype: type, id, values: null, refCount: 1 });
      return { dataId, shape: [...shape], dtype };
    },
    dispose: ({ dataId }) => void backend.disposeData(dataId),
  };
}

const bound = new WeakMap<object, KernelModule>();
let built: NativeBuild | null = null;

/** Has our kernels run on TensorFlow's tensors, as that build has them. */
export function useBuild(build: NativeBuild | null): void {
  built = build;
}

/** Our kernels on a backend of {@link registerTensorflow}; null for one that is used as it is. */
export function tensorflowKernels(backend: TensorflowBackend): KernelModule | null {
  if (built === null || backend.binding.labAllocate === undefined) return null;
  let kernels = bound.get(backend);
  if (kernels === undefined) {
    const addon = loadAddon(built.kernels);
    kernels = nativeKernels(addon, memoryOf(backend, addon), () => null);
    bound.set(backend, kernels);
  }
  return kernels;
}
