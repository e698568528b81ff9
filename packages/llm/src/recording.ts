import { join } from 'node:path';
import { appendJsonLine, DataError, makeFolder, readJsonLines, sha256 } from '@lab/core';
import { z } from 'zod';
import type { ChatRequest, ChatResult, Paid, Unreported } from './chat.js';
import { type FailureKind, LlmFailure } from './llm-failure.js';
import { createRedactor, type Redactor } from './redact.js';
import { requestHash } from './request-hash.js';

/** The part of a request that makes its answer, as it is recorded. */
export type RecordedRequest = Omit<ChatRequest, 'signal' | 'tag' | 'timeoutMs'>;

/** One recorded call. */
export interface RecordedCall {
  readonly type: 'chat';
  readonly key: string;
  readonly model: string;
  /** With secrets taken out; the key is of the request as it was. */
  readonly request: RecordedRequest;
  readonly result: Omit<ChatResult, NotRecorded> | null;
  readonly failure: RecordedFailure | null;
}

type NotRecorded = 'attempts' | 'isCached' | 'lost' | 'requestHash' | 'unreported';

/** A failure that says something of the request, and so belongs to a recording. */
export interface RecordedFailure {
  readonly kind: FailureKind;
  readonly message: string;
  readonly body: string | undefined;
  readonly paid?: Paid | undefined;
  readonly unreported?: Pick<Unreported, 'estimated'> | undefined;
}

/** One recorded vector. */
export interface RecordedEmbedding {
  readonly type: 'embedding';
  readonly key: string;
  readonly model: string;
  /** Float32 in the order of bytes of this machine's kind (little-endian), as base64. */
  readonly vector: string;
}

/** Name of the file in the folder of a recording. */
export const recordingFile = 'recorded.jsonl';
/** In keys in place of a server's address, so that a recording is found wherever it was made. */
const server = 'recording';
/** Failures of a network or a quota are no answers. */
const recordedKinds: ReadonlySet<FailureKind> = new Set<FailureKind>([
  'content-filter',
  'context-length',
  'parse',
  'refusal',
  'truncated',
]);

/** The key of a request in recordings. */
export function recordingKey(request: ChatRequest, model: string): string {
  return requestHash(request, { server, model });
}

/** The key of a text's vector in recordings. */
export function embeddingKey(text: string, model: string): string {
  return sha256(`${model}\n${text}`);
}

/** Appends calls to a folder, each once. */
export interface Recorder {
  chat(request: ChatRequest, result: ChatResult): void;
  failure(request: ChatRequest, error: unknown): void;
  embedding(text: string, vector: Float32Array): void;
}

/**
 * A recorder into a folder, which is made; what it holds already is kept.
 *
 * @param secrets - texts that must not be recorded; what looks like a key is taken out of requests
 *   in any case.
 */
export function createRecorder(dir: string, model: string, secrets: readonly string[]): Recorder {
  makeFolder(dir);
  const file = join(dir, recordingFile);
  const keys = new Set(readRecording(dir).map(({ key }) => key));
  const redact = createRedactor(secrets);
  const put = (record: RecordedCall | RecordedEmbedding) => {
    if (keys.has(record.key)) return;
    keys.add(record.key);
    appendJsonLine(file, record);
  };
  const call = (request: ChatRequest) => {
    const { signal: _signal, tag: _tag, timeoutMs: _timeoutMs, ...kept } = request;
    const key = recordingKey(request, model);
    return { type: 'chat', key, model, request: redacted(kept, redact) } as const;
  };
  return {
    chat(request, whole) {
      const {
        attempts: _,
        isCached: _isCached,
        requestHash: _hash,
        lost: _lost,
        unreported: _unreported,
        ...result
      } = whole;
      put({ ...call(request), result: withoutSecrets(result, secrets), failure: null });
    },
    failure(request, error) {
      if (!(error instanceof LlmFailure) || !recordedKinds.has(error.kind)) return;
      const { kind, message, body, paid, unreported: { estimated } = {} } = error;
      const unreported = estimated === undefined ? undefined : { estimated };
      const failure = { kind, message, body, paid, unreported };
      put({ ...call(request), result: null, failure });
    },
    embedding(text, vector) {
      const bytes = Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength);
      const key = embeddingKey(text, model);
      put({ type: 'embedding', key, model, vector: bytes.toString('base64') });
    },
  };
}

const recordSchema = z.union([
  z.object({
    type: z.literal('chat'),
    key: z.string(),
    model: z.string(),
    request: z.object({
      messages: z.array(z.object({ role: z.string(), content: z.string() })),
    }),
  }),
  z.object({ type: z.literal('embedding'), key: z.string(), model: z.string() }),
]);

/**
 * The records of a folder, in their order.
 *
 * @throws {DataError} when a line is no record.
 */
export function readRecording(dir: string): (RecordedCall | RecordedEmbedding)[] {
  const file = join(dir, recordingFile);
  const { rows } = readJsonLines(file);
  for (const [index, row] of rows.entries()) {
    if (recordSchema.safeParse(row).success) continue;
    throw new DataError(`${file} line ${index + 1}: this is no recorded call.`, {
      file,
      line: index + 1,
      help: 'Record the folder anew.',
    });
  }
  return rows as (RecordedCall | RecordedEmbedding)[];
}

function redacted(request: RecordedRequest, redact: Redactor): RecordedRequest {
  return mapTexts(request, redact);
}

/** Only what is known to be secret: an answer that merely looks like a key stays as it is. */
function withoutSecrets<T>(value: T, secrets: readonly string[]): T {
  const known = secrets.filter((secret) => secret.length >= 4);
  return mapTexts(value, (text) =>
    known.reduce((clean, secret) => clean.replaceAll(secret, '[redacted]'), text),
  );
}

function mapTexts<T>(value: T, change: (text: string) => string): T {
  return JSON.parse(JSON.stringify(value), (_, item: unknown) =>
    typeof item === 'string' ? change(item) : item,
  ) as T;
}
