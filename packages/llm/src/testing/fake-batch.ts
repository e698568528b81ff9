/**
 * The misbehaving model as a provider's batch: a file of requests in, files of answers out.
 */
import { systemClock } from '../clock.js';
import { mixBits } from './fake-hash.js';
import { createFakeModel } from './fake-model.js';
import type { FakeReply } from './fake-reply.js';
import { type JsonObject, requestOf } from './fake-request.js';
import { readFakeScript } from './fake-script-reader.js';
import type { FakeEndpoint, FakeScript } from './fake-script.js';

/** How a batch is answered. */
export interface AnswerBatchOptions {
  /** Default: every prompt is answered with six words. */
  readonly script?: FakeScript | undefined;
  /** Of all that is drawn; default 0. */
  readonly seed?: number | undefined;
}

/** The files of an answered batch. */
export interface AnsweredBatch {
  /** Lines of requests that were answered, in another order than the requests. */
  readonly output: string;
  /** Lines of requests that were rejected or not answered; OpenAI keeps them in another file. */
  readonly errors: string;
}

interface BatchLine {
  readonly custom_id: string;
  readonly url: string;
  readonly body: JsonObject;
}

/**
 * Answers the text of a batch file as a provider does within a day: what a server would cut or
 * leave hanging is expired here.
 */
export function answerBatch(input: string, options: AnswerBatchOptions = {}): AnsweredBatch {
  const { script = {}, seed = 0 } = options;
  const parsed = readFakeScript(script);
  const model = createFakeModel(parsed, { seed, latencyMs: 0, clock: systemClock });
  const attempts = new Map<string, number>();
  const answered: { readonly place: number; readonly text: string; readonly isGood: boolean }[] =
    [];
  for (const text of input.split('\n')) {
    if (text.trim() === '') continue;
    const line = JSON.parse(text) as BatchLine;
    const request = requestOf(endpointOf(line.url), line.body, (hash) => {
      const attempt = (attempts.get(hash) ?? 0) + 1;
      attempts.set(hash, attempt);
      return { attempt, arrival: answered.length + 1, concurrent: 1, apiKey: '' };
    });
    const { reply } = model.respond(request);
    answered.push({
      place: mixBits(request.hash, 71),
      text: `${JSON.stringify(outputLine(line.custom_id, request.hash, reply))}\n`,
      isGood: reply.kind === 'json' && reply.status === 200,
    });
  }
  answered.sort((a, b) => a.place - b.place);
  const part = (isGood: boolean): string =>
    answered
      .filter((item) => item.isGood === isGood)
      .map((item) => item.text)
      .join('');
  return { output: part(true), errors: part(false) };
}

function endpointOf(url: string): FakeEndpoint {
  if (url.endsWith('/embeddings')) return 'embeddings';
  return url.endsWith('/chat/completions') ? 'chat' : 'completions';
}

function outputLine(custom_id: string, hash: string, reply: FakeReply): object {
  const id = `batch_req_${hash.slice(0, 24)}`;
  if (reply.kind !== 'json') {
    const message = 'This request could not be executed before the completion window expired.';
    return { id, custom_id, response: null, error: { code: 'batch_expired', message } };
  }
  const response = {
    status_code: reply.status,
    request_id: `req_${hash.slice(0, 24)}`,
    body: parsedBody(reply.body),
  };
  return { id, custom_id, response, error: null };
}

/** A body that is no JSON stands as a text in the line. */
function parsedBody(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}
