import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { DataError } from './errors.js';
import { describeFileProblem } from './file-problem.js';

const chunkBytes = 1 << 18;

/**
 * The bytes of a file as a stream of chunks, unpacked when the file begins like gzip.
 *
 * @throws {DataError} when the file cannot be read or its gzip is damaged or cut off.
 */
export async function* readBytes(path: string): AsyncGenerator<Buffer> {
  const isPacked = await isGzip(path);
  const file = createReadStream(path, { highWaterMark: chunkBytes });
  const unpacked = isPacked ? createGunzip({ chunkSize: chunkBytes }) : file;
  if (unpacked !== file) {
    file.on('error', (error) => unpacked.destroy(error));
    file.pipe(unpacked as NodeJS.WritableStream & typeof unpacked);
  }
  try {
    for await (const chunk of unpacked) yield chunk as Buffer;
  } catch (cause) {
    throw readProblem(path, cause);
  } finally {
    file.destroy();
    unpacked.destroy();
  }
}

async function isGzip(path: string): Promise<boolean> {
  try {
    const file = await open(path, 'r');
    try {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(2), 0, 2, 0);
      return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw readProblem(path, cause);
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
