/**
 * Our kernels on tensors that only TensorFlow can reach, on a GPU: through an operation of it, that
 * of kernels/native/ops.cc.
 */
import { createRequire } from 'node:module';
import { BackendError } from '@lab/core';
import {
  type KernelRunner,
  MOST_PARTS,
  type ProductForm,
  type TensorMemory,
} from '../kernel-module.js';
import { availableThreads } from '../thread-count.js';
import type { BlockWork } from '../thread-pool.js';
import type { tf } from '../tfjs.js';
import type { NativeBuild } from './build.js';
import { FIRST_VALUE, loadAddon, MOST_VALUES } from './kernel-addon.js';
import {
  brokenBuild,
  idOf,
  ownerCounter,
  type TensorflowBackend,
  tensorOf,
} from './tensorflow-backend.js';

/** What the addon of the operation exports. */
interface OperationAddon {
  /** Name of the operation. */
  readonly operation: string;
  /** Kernels it runs, in the order of their numbers, and a letter for the type of each value. */
  readonly launchers: readonly (readonly [name: string, types: string])[];
  /** Whether they run on a GPU. */
  readonly isCuda: boolean;
}

/** An address is `(slot + 1) * SLOT_BYTES` and bytes in the tensor of that slot. */
const SLOT_BYTES = 2 ** 44;
/** Blocks of a GPU are small, and a GPU is idle with few of them. */
const MOST_PARTS_ON_GPU = 1024;

/** What all calls on a backend have in common. */
interface Operation {
  readonly backend: TensorflowBackend;
  readonly name: string;
  readonly kernels: ReadonlyMap<string, { readonly place: number; readonly types: string }>;
  readonly job: Float64Array;
  readonly threads: number;
  readonly mostParts: number;
  readonly refCount: (tensor: tf.TensorInfo) => number;
  /** Ranges in which all integers of a tensor were found. */
  readonly ranges: WeakMap<object, { readonly low: number; readonly high: number }>;
}

/** A tensor that has an address: a handle, and whose it is when it is not room of ours. */
interface Slot {
  readonly id: number;
  readonly dataId: object | null;
}

/** Gives a tensor the handle that a stock operation makes of its own. */
function renewHandle(
  { binding, tensorMap }: TensorflowBackend,
  { dataId }: tf.TensorInfo,
  operation: 'Identity' | 'DeepCopy',
): void {
  const record = tensorMap.get(dataId);
  const [fresh] = binding.executeOp(operation, [], [record.id], 1);
  binding.deleteTensor(record.id);
  record.id = fresh!.id;
  delete record.address; // of the old buffer
}

const slotAt = (address: number): number => Math.floor(address / SLOT_BYTES) - 1;

/** Runs the kernels of one call; its addresses are good for that call alone. */
class OperationRunner implements KernelRunner {
  readonly memory: TensorMemory;
  readonly threads: number;
  readonly mostParts: number;
  readonly #own: Operation;
  readonly #slots: Slot[] = [];

  constructor(own: Operation) {
    this.#own = own;
    this.threads = own.threads;
    this.mostParts = own.mostParts;
    this.memory = this.#createMemory(own);
  }

  #createMemory({ backend, refCount }: Operation): TensorMemory {
    const { binding } = backend;
    const empty = (shape: readonly number[], dtype: tf.DataType) =>
      binding.labEmpty(shape, backend.getDTypeInteger(dtype));
    return {
      refCount,
      allocate: (bytes) =>
        this.#addressOf({
          id: empty([Math.max(1, Math.ceil(bytes / 4))], 'float32'),
          dataId: null,
        }),
      free: (address) => binding.deleteTensor(this.#slots[slotAt(address)]!.id),
      ints: (address, length) => {
        const slot = slotAt(address);
        const { buffer, byteOffset } = binding.tensorDataSync(this.#slots[slot]!.id);
        return new Int32Array(buffer, byteOffset + address - (slot + 1) * SLOT_BYTES, length);
      },
      addressOf: (tensor) => this.#addressOf({ id: idOf(backend, tensor), dataId: tensor.dataId }),
      output: (shape, dtype) =>
        tensorOf(backend, empty(shape, dtype), { shape: [...shape], dtype }),
      alias() {
        throw new BackendError('tensor: TensorFlow has its own kernels for other shapes.');
      },
      dispose: ({ dataId }) => void backend.disposeData(dataId),
      // A handle keeps copies of its values on other devices, old ones now; a new one has none.
      tellChanged: (tensor) => renewHandle(backend, tensor, 'Identity'),
    };
  }

  #addressOf(slot: Slot): number {
    return this.#slots.push(slot) * SLOT_BYTES;
  }

  readonly call = (name: string, ...values: number[]): number => {
    if (!this.#typesOf(name).endsWith('a')) {
      this.#run(name, values);
      return 0;
    }
    if (name === 'find_outside' && this.#isInRange(values)) return -1;
    const answer = this.memory.allocate(4);
    try {
      this.#run(name, [...values, answer]);
      const found = this.memory.ints(answer, 1)[0] as number;
      if (name === 'find_outside' && found < 0) this.#keepRange(values);
      return found;
    } finally {
      this.memory.free(answer);
    }
  };

  readonly callBlocks = (work: BlockWork, ...values: number[]): void => {
    if (work.count > 0) this.#run(work.kernel, values, work);
  };

  readonly product = (a: tf.TensorInfo, b: tf.TensorInfo, form: ProductForm): tf.TensorInfo => {
    const { backend } = this.#own;
    const { binding } = backend;
    const { m, n, k, transposeA, transposeB, shape } = form;
    const type = binding.TF_ATTR_BOOL;
    const attributes = [
      { name: 'transpose_a', type, value: transposeA },
      { name: 'transpose_b', type, value: transposeB },
    ];
    const ids: number[] = [];
    try {
      ids.push(this.#reshape(idOf(backend, a), transposeA ? [k, m] : [m, k]));
      ids.push(this.#reshape(idOf(backend, b), transposeB ? [n, k] : [k, n]));
      ids.push(binding.executeOp('MatMul', attributes, ids, 1)[0]!.id);
      const id = this.#reshape(ids[2] as number, shape);
      return tensorOf(backend, id, { shape: [...shape], dtype: 'float32' });
    } finally {
      for (const id of ids) binding.deleteTensor(id);
    }
  };

  #reshape(id: number, shape: readonly number[]): number {
    const { binding } = this.#own.backend;
    const sizes = binding.createTensor([shape.length], binding.TF_INT32, Int32Array.from(shape));
    try {
      return binding.executeOp('Reshape', [], [id, sizes], 1)[0]!.id;
    } finally {
      binding.deleteTensor(sizes);
    }
  }

  /** Whether these indices were looked through before: on a GPU that costs a wait for it. */
  #isInRange([, address = 0, low = 0, high = 0]: readonly number[]): boolean {
    const dataId = this.#slots[slotAt(address)]?.dataId;
    const range = dataId == null ? undefined : this.#own.ranges.get(dataId);
    return range !== undefined && range.low >= low && range.high <= high;
  }

  #keepRange([, address = 0, low = 0, high = 0]: readonly number[]): void {
    const dataId = this.#slots[slotAt(address)]?.dataId;
    if (dataId != null) this.#own.ranges.set(dataId, { low, high });
  }

  #typesOf(name: string): string {
    const kernel = this.#own.kernels.get(name);
    if (kernel !== undefined) return kernel.types;
    throw new BackendError(`tensor: there is no kernel "${name}" for a GPU.`);
  }

  #run(name: string, values: readonly number[], work?: BlockWork): void {
    const { backend, job, kernels, name: operation } = this.#own;
    const types = this.#typesOf(name);
    const ids: number[] = [];
    // In the job a slot is a place among the tensors of this run.
    const tokenOf = (address: number): number => {
      if (address === 0) return 0;
      const slot = slotAt(address);
      const id = this.#slots[slot]!.id;
      const known = ids.indexOf(id);
      const place = known < 0 ? ids.push(id) : known + 1;
      return place * SLOT_BYTES + (address - (slot + 1) * SLOT_BYTES);
    };
    job[0] = kernels.get(name)!.place;
    job[1] = work?.count ?? 0;
    job[2] = work?.block ?? 1;
    job[3] = tokenOf(work?.scratch?.address ?? 0);
    job[4] = work?.scratch?.bytesPerThread ?? 0;
    for (let i = 0; i < values.length; i += 1) {
      const isAddress = types[i] === 'p' || types[i] === 'a';
      job[FIRST_VALUE + i] = isAddress ? tokenOf(values[i] as number) : (values[i] as number);
    }
    backend.binding.labRun(operation, job, FIRST_VALUE + values.length, ids);
  }
}

/** The addon in use, and where it runs. */
interface Wanted {
  readonly addon: OperationAddon;
  readonly isGpu: boolean;
  readonly threads: number;
}

let wanted: Wanted | null = null;
let bound = new WeakMap<object, Operation>();

/**
 * Has our kernels run through the operation of a build; null: they do not. Whether they do.
 *
 * The binding must be loaded already. Without CUDA bodies the operation has no kernel for a GPU.
 *
 * @throws {BackendError} when the operation does not load.
 */
export function useOperation(build: NativeBuild | null, isGpu: boolean): boolean {
  wanted = null;
  bound = new WeakMap();
  if (build === null || build.operations === null) return false;
  const addon = loadOperation(build.operations);
  if (isGpu && !addon.isCuda) return false;
  const threads = isGpu ? 1 : loadAddon(build.kernels).threads(availableThreads());
  wanted = { addon, isGpu, threads };
  return true;
}

function loadOperation(path: string): OperationAddon {
  try {
    return createRequire(import.meta.url)(path) as OperationAddon;
  } catch (cause) {
    throw brokenBuild(path, cause as Error);
  }
}

function bind(backend: TensorflowBackend, { addon, isGpu, threads }: Wanted): Operation {
  const places = addon.launchers.map(([name, types], place) => [name, { place, types }] as const);
  const created = backend.binding.labEmpty([1], backend.getDTypeInteger('float32'));
  return {
    ...{ backend, threads, name: addon.operation, kernels: new Map(places) },
    job: new Float64Array(FIRST_VALUE + MOST_VALUES),
    mostParts: isGpu ? MOST_PARTS_ON_GPU : MOST_PARTS,
    refCount: ownerCounter(backend, created, (tensor) => renewHandle(backend, tensor, 'DeepCopy')),
    ranges: new WeakMap(),
  };
}

/** Runs the kernels of one call through the operation; null where that is not in use. */
export function operationRunner(backend: TensorflowBackend): KernelRunner | null {
  if (wanted === null || backend.binding.labRun === undefined) return null;
  let operation = bound.get(backend);
  if (operation === undefined) {
    operation = bind(backend, wanted);
    bound.set(backend, operation);
  }
  return new OperationRunner(operation);
}
