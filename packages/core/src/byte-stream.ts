import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { DataError } from './errors.js';
import { describeFileProblem } from './file-problem.js';

const chunkBytes = 1 << 18;

/**
 * The bytes of a file as a stream of chunks, unpacked when the file begins like gzip. The file is
 * opened once, so named pipes work too.
 *
 * @throws {DataError} when the file cannot be read or its gzip is damaged or cut off.
 */
export async function* readBytes(path: string): AsyncGenerator<Uint8Array> {
  const file = createReadStream(path, { highWaterMark: chunkBytes });
  const chunks = file[Symbol.asyncIterator]() as AsyncIterableIterator<Buffer>;
  try {
    const first = await chunks.next();
    if (first.done === true) return;
    const all = prepend(first.value, chunks);
    yield* isGzip(first.value) ? unpack(all) : all;
  } catch (cause) {
    throw readProblem(path, cause);
  } finally {
    file.destroy();
  }
}

async function* prepend(
  first: Buffer,
  others: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer, void, void> {
  yield first;
  yield* others;
}

function isGzip(bytes: Buffer): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

async function* unpack(packed: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, void> {
  const source = Readable.from(packed);
  const unpacked = createGunzip({ chunkSize: chunkBytes });
  source.on('error', (error) => unpacked.destroy(error)).pipe(unpacked);
  try {
    for await (const chunk of unpacked) yield chunk as Buffer;
  } finally {
    source.destroy();
    unpacked.destroy();
  }
}

function readProblem(path: string, cause: unknown): DataError {
  const code = codeOf(cause);
  if (code === 'Z_BUF_ERROR') {
    return new DataError(`${path}: the gzip file is cut off.`, {
      file: path,
      help: 'copy or download the file again.',
      cause,
    });
  }
  if (code.startsWith('Z_')) {
    return new DataError(`${path}: the gzip file is damaged (${code}).`, {
      file: path,
      help: 'copy or download the file again.',
      cause,
    });
  }
  return new DataError(describeFileProblem(path, cause), {
    file: path,
    help: 'check the path.',
    cause,
  });
}

function codeOf(cause: unknown): string {
  if (typeof cause !== 'object' || cause === null || !('code' in cause)) return '';
  return String(cause.code);
}
