import { withFileSource } from './file-source.js';
import { PickleInput, type PickleSource } from './pickle/input.js';
import { PickleMachine } from './pickle/machine.js';
import { handlers } from './pickle/opcodes.js';
import { type PickleValue, plainValue } from './pickle/plain-value.js';

const stop = '.'.charCodeAt(0);
const sliceBytes = 1 << 25;

/**
 * Reads a Python pickle that holds plain data: arrays of NumPy 1 or 2, numbers, texts, byte
 * strings, None, lists, tuples and dicts; protocols 0 to 5.
 *
 * Nothing is imported and nothing is run, whatever the file says: the few functions that pickled
 * arrays call are rebuilt here, every other name is refused. Memory taken is that of the result
 * plus 256 kB.
 *
 * @param path - the file, plain or gzipped.
 * @returns dicts as Maps, lists as arrays, tuples as frozen arrays, arrays as
 * {@link ArrayRecord}, row-major; integers beyond 2^53 as bigint.
 * @throws {DataError} when the file is cut off or damaged, or asks for anything else; the message
 * names module and attribute.
 *
 * @example
 * ```python
 * pickle.dump({7: np.zeros(4096, np.float32)}, open('images.pkl', 'wb'))
 * # const images = await readPickle('images.pkl');
 * # images.get(7) is { shape: [4096], dtype: 'float32', data: Float32Array }
 * ```
 */
export async function readPickle(path: string): Promise<PickleValue> {
  return withFileSource(path, (source) => decode(source));
}

/**
 * The value of a pickle in memory, as {@link readPickle}.
 *
 * @param bytes - the whole pickle.
 * @param name - what to call it in an error.
 */
export async function decodePickle(bytes: Uint8Array, name = 'pickle'): Promise<PickleValue> {
  return decode({
    path: name,
    sizeBytes: bytes.length,
    read: (target, position) => {
      target.set(bytes.subarray(position, position + target.length));
    },
  });
}

async function decode(source: PickleSource): Promise<PickleValue> {
  const input = new PickleInput(source);
  const machine = new PickleMachine(input);
  try {
    for (let end = sliceBytes; !runUntil(machine, end); end = input.position + sliceBytes) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    const value = plainValue(machine, machine.result());
    if (input.bytesLeft > 0) throw input.failure(`has ${input.bytesLeft} bytes after its end`);
    return value;
  } catch (error) {
    if (error instanceof RangeError) throw input.failure(`is too large (${error.message})`);
    throw error;
  }
}

/** Runs opcodes until the pickle stops (true) or the place is reached (false). */
function runUntil(machine: PickleMachine, end: number): boolean {
  const { input } = machine;
  while (input.position < end) {
    const code = input.byte();
    if (code === stop) return true;
    const handler = handlers[code];
    if (handler === undefined) {
      const shown = code.toString(16).padStart(2, '0');
      throw machine.failure(`has 0x${shown} where an opcode belongs`);
    }
    handler(machine);
  }
  return false;
}
