/**
 * The body of a request as JSON, within limits.
 */
import type { IncomingMessage } from 'node:http';
import { formatBytes } from '@lab/core';
import { isJsonObject } from '../json-file.js';
import { ApiProblem } from './api-problem.js';
import { type JsonObject } from './request-fields.js';

/** Bytes of a body, at most. */
export const MOST_BODY_BYTES = 10_000_000;

/**
 * Reads the JSON object that a request holds.
 *
 * @throws {ApiProblem} 415 for another type, 413 for a body that is too large, 400 for what is no
 *   JSON object.
 */
export async function readJsonBody(request: IncomingMessage): Promise<JsonObject> {
  assertJson(request);
  const text = decoded(await readBytes(request));
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ApiProblem(400, `The body is not JSON: ${syntaxProblem(cause as Error)}.`, {
      code: 'invalid_json',
    });
  }
  if (isJsonObject(value)) return value;
  throw new ApiProblem(400, 'The body must be a JSON object.', { code: 'invalid_json' });
}

function assertJson({ headers }: IncomingMessage): void {
  const type = (headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase();
  const encoding = headers['content-encoding'] ?? 'identity';
  if (type === 'application/json' && encoding === 'identity') return;
  const what = encoding === 'identity' ? 'Content-Type: application/json' : 'no Content-Encoding';
  throw new ApiProblem(415, `The body must be JSON, sent with ${what}.`);
}

async function readBytes(request: IncomingMessage): Promise<Buffer> {
  const stated = Number(request.headers['content-length'] ?? 0);
  if (stated > MOST_BODY_BYTES) throw tooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  // Leaving a loop over the request would end its connection before the answer is out.
  return new Promise((resolve, reject) => {
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > MOST_BODY_BYTES) {
        chunks.length = 0;
        reject(tooLarge());
      } else chunks.push(chunk);
    });
    request.once('end', () => resolve(Buffer.concat(chunks)));
    request.once('error', reject);
    request.once('close', () => reject(new Error('the connection ended within the body')));
  });
}

const tooLarge = () =>
  new ApiProblem(413, `The body is larger than ${formatBytes(MOST_BODY_BYTES)}.`, {
    code: 'request_too_large',
  });

function decoded(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new ApiProblem(400, 'The body is not UTF-8.', { code: 'invalid_json' });
  }
}

/** What the parser says, without the text that it quotes. */
const syntaxProblem = ({ message }: Error) =>
  /position \d+/.exec(message)?.[0] ?? (/end of/i.test(message) ? 'it breaks off' : 'bad syntax');
