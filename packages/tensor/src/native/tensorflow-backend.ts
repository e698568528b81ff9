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

/** Our additions to the binding of tfjs-node; see kernels/native/tensorflow.cc. */
export interface TensorflowBinding {
  deleteTensor(id: number): void;
  /** The id of a tensor with undefined values; where they lie is written to `place`. */
  labAllocate(shape: readonly number[], dtype: number, place: Float64Array): number;
  labAddressOf(id: number): number;
  labOwnersOf(id: number): number;
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
    const [{ message }, folder] = [cause as Error, dirname(kernels)];
    throw new BackendError(`tensor: the build in ${folder} does not load: ${message}`, {
      cause,
      help: 'Run lab-tensor remove, then lab-tensor setup again. The backend wasm works without.',
    });
  }
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

/** How often TensorFlow counts a buffer that one tensor has. */
function ownersOfNew(binding: TensorflowBinding, dtype: number): number {
  const id = binding.labAllocate([1], dtype, new Float64Array(1));
  const owners = binding.labOwnersOf(id);
  binding.deleteTensor(id);
  return owners;
}

/**
 * Gives a tensor of numbers of 32 bits a buffer of TensorFlow's own.
 *
 * Values from JavaScript stay in their array where that happens to lie on a whole cache line. What
 * is done in place must not depend on such luck: its bits may differ from those of new tensors.
 */
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

/** The memory of TensorFlow's tensors on the CPU, and room beside it, at absolute addresses. */
function memoryOf(backend: TensorflowBackend, addon: KernelAddon): KernelMemory {
  const { binding } = backend;
  const idOf = (tensor: tf.TensorInfo) => backend.getInputTensorIds([tensor])[0] as number;
  const place = new Float64Array(1);
  const alone = ownersOfNew(binding, backend.getDTypeInteger('float32'));
  const refCount = (tensor: tf.TensorInfo): number => {
    const own = backend.refCount(tensor.dataId);
    if (own !== 1) return own;
    const owners = binding.labOwnersOf(idOf(tensor));
    // Another tensor, a reshaped one say, may have the same values without tfjs knowing.
    if (alone === 0 || owners > alone) return 2;
    if (owners === 0) moveToOwnBuffer(backend, tensor, addon);
    return 1;
  };
  return {
    ...{ addresses: { bytes: 8, base: 0 }, isShared: true, refCount },
    allocate(bytes) {
      const address = addon.allocate(bytes);
      if (address !== 0) return address;
      throw new BackendError(`tensor: no memory for another ${formatBytes(bytes)}.`, {
        help: 'Use smaller batches or a machine with more memory.',
      });
    },
    free: addon.release,
    floats: (address, length) => new Float32Array(addon.view(address, 4 * length)),
    ints: (address, length) => new Int32Array(addon.view(address, 4 * length)),
    addressOf(tensor) {
      const record = backend.tensorMap.get(tensor.dataId);
      record.address ??= binding.labAddressOf(idOf(tensor));
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
    alias() {
      throw new BackendError('tensor: TensorFlow has its own kernels for other shapes.');
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
