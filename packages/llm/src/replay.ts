import { DataError } from '@lab/core';
import type { z } from 'zod';
import type { ChatRequest, ChatResult, Embeddings, JsonResult } from './chat.js';
import type { LlmClient } from './llm-client.js';
import { LlmFailure } from './llm-failure.js';
import { nearestCall, requestDifferences } from './nearest-request.js';
import {
  createRecorder,
  embeddingKey,
  readRecording,
  type RecordedCall,
  type RecordedEmbedding,
  recordingKey,
} from './recording.js';
import { UnparsedAnswer } from './structured/ask-for-json.js';
import { parseAnswer } from './structured/parse-answer.js';
import { withSchema } from './structured/with-schema.js';
import { countMessages } from './tokens.js';

/** Settings of {@link recordingClient}. */
export interface RecordingOptions {
  /** Texts that must not be recorded, such as the key of the server. */
  readonly secrets?: readonly string[];
}

/**
 * A client that asks another one and keeps each request with its answer in a folder, for
 * {@link createReplayClient}. Headers and keys are not part of a request, and what looks like a key
 * is taken out of the recorded texts. Answers that were there already are kept as they are.
 *
 * @throws {DataError} when the folder cannot be written or holds something else.
 */
export function recordingClient(
  client: LlmClient,
  dir: string,
  { secrets = [] }: RecordingOptions = {},
): LlmClient {
  const recorder = createRecorder(dir, client.model, secrets);
  const kept = async <R extends ChatResult>(request: ChatRequest, call: Promise<R>): Promise<R> => {
    try {
      const result = await call;
      const { json: _json, ...plain } = result as ChatResult & { readonly json?: unknown };
      recorder.chat(request, plain);
      return result;
    } catch (error) {
      // The last answer can be parsed, and fail, again.
      if (error instanceof UnparsedAnswer) recorder.chat(request, error.result);
      else recorder.failure(request, error);
      throw error;
    }
  };
  return {
    model: client.model,
    capabilities: client.capabilities,
    chat: (request) => kept(request, client.chat(request)),
    // Its calls go unseen: what is recorded is the answer, under the name of the first of them.
    json: (request, schema) => kept(jsonRequest(request, schema), client.json(request, schema)),
    embed: async (texts, options) => {
      const made = await client.embed(texts, options);
      for (const [index, text] of texts.entries()) {
        const { width, values } = made;
        recorder.embedding(text, values.slice(index * width, (index + 1) * width));
      }
      return made;
    },
    count: (messages) => client.count(messages),
    hashOf: (request) => client.hashOf(request),
    close: () => client.close(),
  };
}

/** Settings of {@link createReplayClient}. */
export interface ReplayOptions {
  /** Which model's answers, where a folder holds those of several. */
  readonly model?: string;
}

/**
 * A client that answers from a folder which {@link recordingClient} filled: offline, and the same
 * each time. Answers count as cached. A request that was not recorded is an error that shows how
 * the nearest recorded one differs. Hashes do not depend on the server that was recorded.
 *
 * @throws {DataError} when the folder holds no recording, or those of several models.
 */
export async function createReplayClient(
  dir: string,
  options: ReplayOptions = {},
): Promise<LlmClient> {
  const records = readRecording(dir);
  const model = options.model ?? onlyModel(records, dir);
  const calls = new Map<string, RecordedCall>();
  const vectors = new Map<string, RecordedEmbedding>();
  for (const record of records) {
    if (record.model !== model) continue;
    if (record.type === 'chat') calls.set(record.key, record);
    else vectors.set(record.key, record);
  }
  const find = (request: ChatRequest): ChatResult => {
    const key = recordingKey(request, model);
    const call = calls.get(key);
    if (!call) throw notRecorded(request, calls, dir);
    if (call.result) return { ...call.result, attempts: 0, isCached: true, requestHash: key };
    throw new LlmFailure(call.failure!.message, {
      ...call.failure!,
      isRetryable: false,
      attempts: 0,
    });
  };
  return {
    model,
    chat: async (request) => find(request),
    json: async (request, schema) => parsed(find(jsonRequest(request, schema)), schema),
    embed: async (texts) => joinVectors(texts, model, vectors),
    count: async (messages) => ({ tokens: await countMessages(messages), isExact: false }),
    hashOf: (request) => recordingKey(request, model),
    close: async () => undefined,
  };
}

/** Part of the names under which answers in JSON are kept. */
const recordedLevel = 'json-schema';

/** The request under which an answer in JSON is kept, whatever the recorded server takes. */
function jsonRequest(request: ChatRequest, schema: z.ZodType): ChatRequest {
  return withSchema(request, schema, recordedLevel);
}

async function parsed<T>(result: ChatResult, schema: z.ZodType<T>): Promise<JsonResult<T>> {
  const answer = await parseAnswer(result.text, schema, result.finish);
  if (!answer.fits) {
    const kind = result.finish === 'length' ? 'truncated' : 'parse';
    throw new UnparsedAnswer(kind, result, { problems: answer.problems, level: recordedLevel });
  }
  const recorded = result as Partial<Pick<JsonResult<T>, 'level' | 'origin'>>;
  const { origin = answer.origin, level = recordedLevel } = recorded;
  return { ...result, json: answer.json, origin, level };
}

function joinVectors(
  texts: readonly string[],
  model: string,
  vectors: ReadonlyMap<string, RecordedEmbedding>,
): Embeddings {
  const rows = texts.map((text) => {
    const record = vectors.get(embeddingKey(text, model));
    if (record)
      return new Float32Array(Uint8Array.from(Buffer.from(record.vector, 'base64')).buffer);
    throw missing(`an embedding of ${JSON.stringify(text.slice(0, 80))} was not recorded`, []);
  });
  const width = rows[0]?.length ?? 0;
  const values = new Float32Array(rows.length * width); // [texts, width]
  for (const [index, row] of rows.entries()) values.set(row, index * width);
  const usage = { prompt: 0, completion: 0, cached: 0, reasoning: 0, isEstimated: true };
  return { width, values, usage };
}

function onlyModel(records: readonly { readonly model: string }[], dir: string): string {
  const models = [...new Set(records.map(({ model }) => model))];
  if (models.length === 1) return models[0]!;
  const what = models.length === 0 ? 'no recording' : `recordings of ${models.join(', ')}`;
  throw new DataError(`llm/replay: ${dir} holds ${what}.`, {
    file: dir,
    help:
      models.length === 0
        ? 'Make one with recordingClient, or correct the path.'
        : 'Name one of them as model.',
  });
}

function notRecorded(
  request: ChatRequest,
  calls: ReadonlyMap<string, RecordedCall>,
  dir: string,
): LlmFailure {
  const nearest = nearestCall(request, calls.values());
  const lines = nearest ? requestDifferences(request, nearest.request) : [];
  return missing(`this request is not among the ${calls.size} recorded in ${dir}`, lines);
}

function missing(what: string, differences: readonly string[]): LlmFailure {
  const nearest =
    differences.length === 0 ? '' : ` The nearest one differs:\n  ${differences.join('\n  ')}`;
  return new LlmFailure(`llm/replay: ${what}.${nearest}`, {
    kind: 'bad-request',
    isRetryable: false,
    attempts: 0,
    // A recording that does not fit the program fits no other row either.
    endsRun: true,
    help: 'record it anew (recordingClient, llm run --record), or undo the change of the prompt.',
  });
}
