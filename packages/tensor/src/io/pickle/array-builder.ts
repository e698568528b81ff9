import type { ArrayRecord } from '../array-record.js';
import {
  decodeNumbers,
  elementCount,
  itemBytes,
  type NumpyType,
  parseNumpyType,
  stridedCopy,
  toRowMajor,
} from '../dtype.js';
import type { PickleInput } from './input.js';
import { GlobalName, isTuple } from './python-values.js';

/** A NumPy dtype; its byte order comes with BUILD. */
class Dtype {
  constructor(readonly type: NumpyType) {}
}

type Call = (builder: ArrayBuilder, args: readonly unknown[]) => unknown;

const calls = new Map<string, Call>();
for (const core of ['numpy.core', 'numpy._core']) {
  calls.set(`${core}.multiarray._reconstruct`, (builder, args) => builder.emptyArray(args));
  calls.set(`${core}.multiarray.scalar`, (builder, args) => builder.scalar(args));
  calls.set(`${core}.numeric._frombuffer`, (builder, args) => builder.fromBuffer(args));
}
calls.set('numpy.dtype', (builder, args) => builder.dtype(args));
calls.set('_codecs.encode', (builder, args) => builder.encoded(args));
calls.set('builtins.bytes', (builder, args) => builder.emptyBytes(args));
calls.set('__builtin__.bytes', (builder, args) => builder.emptyBytes(args));

const names = new Set([...calls.keys(), 'numpy.ndarray']);

/**
 * The few Python functions that pickled NumPy arrays call, written out here: they build arrays,
 * numbers and byte strings and nothing else.
 */
export class ArrayBuilder {
  /** Arrays that `_reconstruct` made and BUILD has not filled. */
  readonly #pending = new Set<ArrayRecord>();

  constructor(private readonly input: PickleInput) {}

  /** The name, when it is one of those that arrays need. */
  global(module: string, attribute: string): GlobalName {
    if (names.has(`${module}.${attribute}`)) return new GlobalName(module, attribute);
    throw this.input.refusal(`asks for ${printable(module)}.${printable(attribute)}`);
  }

  /** The value of a REDUCE. */
  call(callee: unknown, args: unknown): unknown {
    const call = callee instanceof GlobalName ? calls.get(callee.toString()) : undefined;
    if (call === undefined) throw this.input.refusal(`calls ${describe(callee)}`);
    if (!isTuple(args)) throw this.input.failure(`calls ${describe(callee)} without a tuple`);
    return call(this, args);
  }

  /** The value of a BUILD. */
  build(target: unknown, state: unknown): unknown {
    if (target instanceof Dtype) return this.#completeDtype(target, state);
    if (this.#pending.has(target as ArrayRecord)) {
      return this.#fillArray(target as ArrayRecord, state);
    }
    throw this.input.refusal(`sets the state of ${describe(target)}`);
  }

  /** Whether a value is a helper of the reading and not data. */
  isInternal(value: unknown): boolean {
    return (
      value instanceof GlobalName ||
      value instanceof Dtype ||
      this.#pending.has(value as ArrayRecord)
    );
  }

  emptyArray(args: readonly unknown[]): ArrayRecord {
    const [kind] = args;
    if (args.length !== 3 || !(kind instanceof GlobalName) || String(kind) !== 'numpy.ndarray') {
      throw this.input.refusal(`builds an array of the class ${describe(kind)}`);
    }
    const record: ArrayRecord = { shape: [0], dtype: 'float64', data: new Float64Array(0) };
    this.#pending.add(record);
    return record;
  }

  dtype([text]: readonly unknown[]): Dtype {
    const type = typeof text === 'string' ? parseNumpyType(text) : undefined;
    if (type !== undefined) return new Dtype(type);
    throw this.input.failure(
      `holds an array of type ${describe(text)}, not of plain numbers`,
      'Save floats, integers or bools.',
    );
  }

  scalar([dtype, stored]: readonly unknown[]): unknown {
    if (!(dtype instanceof Dtype)) throw this.input.failure('has a number without a dtype');
    const bytes = this.#bytes(stored);
    if (bytes.length !== itemBytes(dtype.type.dtype)) {
      throw this.input.failure(`has a ${dtype.type.dtype} of ${bytes.length} bytes`);
    }
    const value = decodeNumbers(dtype.type, bytes)[0]!;
    if (dtype.type.dtype === 'bool') return value !== 0;
    return typeof value === 'bigint' ? plainInteger(value) : value;
  }

  fromBuffer(args: readonly unknown[]): ArrayRecord {
    const [buffer, dtype, shape, order, axes] = args;
    if (!(dtype instanceof Dtype)) throw this.input.failure('has an array without a dtype');
    const record = this.#record(dtype, { shape, bytes: this.#bytes(buffer) });
    if (order === 'F') return { ...record, data: toRowMajor(record.data, record.shape) };
    if (order === 'C' || (order === 'K' && (axes === undefined || axes === null))) return record;
    return this.#transposed(record, axes);
  }

  encoded([text, encoding]: readonly unknown[]): Uint8Array {
    if (typeof text !== 'string' || !['latin1', 'latin-1'].includes(String(encoding))) {
      throw this.input.refusal(`encodes ${describe(text)} as ${describe(encoding)}`);
    }
    return this.#bytes(text);
  }

  emptyBytes(args: readonly unknown[]): Uint8Array {
    if (args.length > 0) throw this.input.refusal('calls bytes with arguments');
    return new Uint8Array(0);
  }

  #completeDtype(dtype: Dtype, state: unknown): Dtype {
    const [version, order, ...rest] = isTuple(state) ? state : [];
    const isPlain = rest.slice(0, 3).every((part) => part === null);
    if (typeof version !== 'number' || !['<', '>', '|', '='].includes(String(order)) || !isPlain) {
      throw this.input.failure('has an array of structures', 'Save plain numbers.');
    }
    Object.assign(dtype.type, { isBigEndian: order === '>' });
    return dtype;
  }

  #fillArray(target: ArrayRecord, state: unknown): ArrayRecord {
    const [version, shape, dtype, isFortran, stored, ...rest] = isTuple(state) ? state : [];
    if (version !== 1 || !(dtype instanceof Dtype) || rest.length > 0) {
      throw this.input.failure('has an array whose state is not known');
    }
    const record = this.#record(dtype, { shape, bytes: this.#bytes(stored) });
    if (isFortran === true || isFortran === 1) {
      record.data = toRowMajor(record.data, record.shape);
    }
    this.#pending.delete(target);
    return Object.assign(target, record);
  }

  #record(dtype: Dtype, from: { shape: unknown; bytes: Uint8Array }): ArrayRecord {
    const { type } = dtype;
    const shape = isTuple(from.shape) ? from.shape.map(Number) : [Number.NaN];
    const count = elementCount(shape);
    if (count === undefined || count * itemBytes(type.dtype) !== from.bytes.length) {
      throw this.input.failure(
        `has an array [${shape.join(', ')}] of ${type.dtype} with ${from.bytes.length} bytes`,
      );
    }
    if (type.dtype === 'bool' && from.bytes.some((byte) => byte > 1)) {
      throw this.input.failure('has bool values other than 0 and 1');
    }
    return { shape, dtype: type.dtype, data: decodeNumbers(type, from.bytes) };
  }

  /** What `reshape(shape).transpose(axes)` gives. */
  #transposed(record: ArrayRecord, axes: unknown): ArrayRecord {
    const { shape, data } = record;
    const order = isTuple(axes) ? axes.map(Number) : [];
    const isOrder = [...order].sort((a, b) => a - b).every((axis, index) => axis === index);
    if (order.length !== shape.length || !isOrder) {
      throw this.input.failure(`has an array in the order ${describe(axes)}`);
    }
    const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
    const turned = order.map((axis) => shape[axis]!);
    const turnedStrides = order.map((axis) => strides[axis]!);
    return { ...record, shape: turned, data: stridedCopy(data, turned, turnedStrides) };
  }

  /** Bytes, or the text in which Python 2 keeps bytes. */
  #bytes(value: unknown): Uint8Array {
    if (value instanceof Uint8Array) return value;
    if (typeof value !== 'string') {
      throw this.input.failure(`has ${describe(value)} where the bytes of an array belong`);
    }
    if (/[^\u0000-\u00ff]/.test(value)) throw this.input.failure('has bytes beyond 255');
    const bytes = Buffer.allocUnsafeSlow(value.length);
    bytes.write(value, 'latin1');
    return new Uint8Array(bytes.buffer, 0, value.length);
  }
}

/** A number when it is exact, else a bigint. */
export function plainInteger(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function describe(value: unknown): string {
  if (value instanceof GlobalName)
    return `${printable(value.module)}.${printable(value.attribute)}`;
  if (value instanceof Map) return 'a dict';
  if (Array.isArray(value)) return isTuple(value) ? 'a tuple' : 'a list';
  if (typeof value === 'string') return `'${printable(value)}'`;
  if (value instanceof Uint8Array) return 'a byte string';
  if (value === null) return 'None';
  return typeof value === 'object' ? 'an array' : String(value);
}

/** A name from a foreign file, made safe to print. */
function printable(text: string): string {
  const short = text.length > 60 ? `${text.slice(0, 60)}...` : text;
  return short.replace(/[^\x20-\x7e]/g, '?');
}
