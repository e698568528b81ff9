/**
 * What the webgpu backend of tfjs leaves unchecked: sizes, and errors that the device reports.
 */
import { BackendError, formatBytes } from '@lab/core';
import type { tf } from './tfjs.js';

interface Device {
  readonly limits: { maxStorageBufferBindingSize: number; maxBufferSize: number };
  addEventListener(
    event: 'uncapturederror',
    listener: (event: { error: { message: string }; preventDefault?(): void }) => void,
  ): void;
}

type Write = (
  values: ArrayLike<number> | null | undefined,
  shape: readonly number[],
  dtype: tf.DataType,
) => object;

/** The part of tfjs-backend-webgpu that is guarded. */
export interface WebgpuBackend {
  readonly device: Device;
  readonly bufferManager: { acquireBuffer(size: number, ...rest: unknown[]): unknown };
  readonly tensorMap: { get(dataId: object): { shape: readonly number[]; dtype: tf.DataType } };
  write: Write;
  read(dataId: object): Promise<unknown>;
}

/** Smallest and largest value of an index tensor, and where they stand. */
export interface IndexExtremes {
  readonly low: number;
  readonly lowAt: number;
  readonly high: number;
  readonly highAt: number;
}

const BYTES_PER_VALUE = 4;
/** The device binds no buffer of size 0; empty tensors get one that nothing reads. */
const SMALLEST_BUFFER_BYTES = 4;
const guarded = new WeakSet<object>();
const extremes = new WeakMap<object, IndexExtremes>();

/**
 * The extremes of an int32 tensor that came from the host; undefined for one that was computed.
 *
 * The values themselves are on the device, which only asynchronous code can read.
 */
export function knownExtremes(dataId: object): IndexExtremes | undefined {
  return extremes.get(dataId);
}

function extremesOf(values: ArrayLike<number>): IndexExtremes {
  let [lowAt, highAt] = [0, 0];
  for (let i = 1; i < values.length; i++) {
    if ((values[i] as number) < (values[lowAt] as number)) lowAt = i;
    if ((values[i] as number) > (values[highAt] as number)) highAt = i;
  }
  return { low: values[lowAt] as number, lowAt, high: values[highAt] as number, highAt };
}

function oversizeError(bytes: number, limit: number, shape?: readonly number[]): BackendError {
  const what = shape === undefined ? 'a buffer' : `a tensor of shape [${shape.join(', ')}]`;
  return new BackendError(
    `tensor: ${what} takes ${formatBytes(bytes)}, but this webgpu adapter binds at most ` +
      `${formatBytes(limit)} at once.`,
    {
      help: 'Use smaller batches or row blocks, or the backend wasm or tensorflow.',
      details: { bytes, limit, ...(shape === undefined ? {} : { shape: [...shape] }) },
    },
  );
}

/** Largest tensor of the device, bytes. */
function limitOf({ limits }: Device): number {
  return Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize);
}

const bytesOf = (shape: readonly number[]): number =>
  shape.reduce((product, size) => product * size, BYTES_PER_VALUE);

/**
 * Nothing when a tensor of that shape fits one binding of the device.
 *
 * @throws {BackendError} with the sizes when it does not.
 */
export function assertBindable({ device }: WebgpuBackend, shape: readonly number[]): void {
  const [bytes, limit] = [bytesOf(shape), limitOf(device)];
  if (bytes > limit) throw oversizeError(bytes, limit, shape);
}

/** The reason why results of the device cannot be trusted any more, once there is one. */
function watchErrors(device: Device): () => string | undefined {
  let reported: string | undefined;
  device.addEventListener('uncapturederror', (event) => {
    reported ??= event.error.message;
    event.preventDefault?.();
  });
  return () => reported;
}

function guardWrites(backend: WebgpuBackend): void {
  const write = backend.write.bind(backend);
  backend.write = (values, shape, dtype) => {
    assertBindable(backend, shape);
    const dataId = write(values, shape, dtype);
    if (dtype === 'int32' && values != null && values.length > 0) {
      extremes.set(dataId, extremesOf(values));
    }
    return dataId;
  };
  const { bufferManager } = backend;
  const limit = limitOf(backend.device);
  const acquire = bufferManager.acquireBuffer.bind(bufferManager);
  bufferManager.acquireBuffer = (bytes, ...rest) => {
    if (bytes > limit) throw oversizeError(bytes, limit);
    return acquire(Math.max(bytes, SMALLEST_BUFFER_BYTES), ...rest);
  };
}

function guardReads(backend: WebgpuBackend): void {
  const reported = watchErrors(backend.device);
  const read = backend.read.bind(backend);
  backend.read = async (dataId) => {
    const { shape, dtype } = backend.tensorMap.get(dataId);
    const values = await read(dataId);
    const message = reported();
    if (message !== undefined) {
      throw new BackendError(`tensor: the webgpu device failed: ${message}`, {
        help: 'Its results cannot be trusted; start again, or choose the backend wasm.',
      });
    }
    if (bytesOf(shape) > 0) return values;
    return dtype === 'float32' ? new Float32Array(0) : new Int32Array(0);
  };
}

/**
 * Makes the backend throw where it would go on with garbage: a tensor larger than one binding of
 * the device, and a result read after the device reported an error. Empty tensors become harmless.
 *
 * @throws {BackendError} from then on, with the sizes or with what the device said.
 */
export function guardDevice(backend: WebgpuBackend): void {
  if (guarded.has(backend)) return;
  guarded.add(backend);
  guardWrites(backend);
  guardReads(backend);
}
