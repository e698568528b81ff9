/**
 * Continuations to answers, whole or as they come.
 */
import type { FinishReason, GenerationEvent, GenerationStream } from '../generation/engine.js';
import type { AnswerForm, BytesOf } from './answer-form.js';
import { ApiProblem } from './api-problem.js';
import { CertainTokens } from './certain-tokens.js';
import type { Exchange } from './exchange.js';

/** The answers to a request. */
export interface Answers {
  readonly form: AnswerForm;
  readonly id: string;
  /** Seconds since 1970. */
  readonly created: number;
  /** Name of the model. */
  readonly model: string;
  /** One for each choice. */
  readonly streams: readonly GenerationStream[];
  /** Of all prompts together, each once. */
  readonly promptTokens: number;
  readonly stopIds: readonly number[];
  readonly bytesOf: BytesOf;
  readonly hasLogprobs: boolean;
  /** Whether a stream ends with its usage. */
  readonly hasUsage: boolean;
}

/** Sends all answers in one, once they are there. */
export async function deliverWhole(exchange: Exchange, answers: Answers): Promise<void> {
  const { form, id, created, model, bytesOf, hasLogprobs } = answers;
  const results = await Promise.all(answers.streams.map(({ result }) => result));
  const choices = results.map((result, index) => {
    const certain = new CertainTokens(answers.stopIds);
    const tokens = [...result.events.flatMap((one) => certain.push(one)), ...certain.end(result)];
    return {
      ...{ index, ...form.whole(result.text) },
      logprobs: hasLogprobs ? form.logprobs(tokens, bytesOf, 0) : null,
      finish_reason: finishOf(result.finishReason),
    };
  });
  const newTokens = results.reduce((sum, { usage }) => sum + usage.newTokens, 0);
  const usage = usageOf(answers.promptTokens, newTokens);
  exchange.json({ id, object: form.object, created, model, choices, usage });
}

/** Sends all answers as events, each token when its text is certain. */
export async function deliverEvents(exchange: Exchange, answers: Answers): Promise<void> {
  const { form, id, created, model, hasUsage } = answers;
  const head = { id, object: form.chunkObject, created, model };
  const send = (choices: readonly object[], usage: object | null) =>
    exchange.event(JSON.stringify({ ...head, choices, ...(hasUsage && { usage }) }));
  const counts = await Promise.all(
    answers.streams.map((stream, index) =>
      deliverChoice(stream, answers, (choice) => send([{ index, ...choice }], null)),
    ),
  );
  const newTokens = counts.reduce((sum, count) => sum + count, 0);
  if (hasUsage) await send([], usageOf(answers.promptTokens, newTokens));
  await exchange.endEvents();
}

/** Sends the events of one choice; resolves to its tokens. */
async function deliverChoice(
  stream: GenerationStream,
  { form, bytesOf, hasLogprobs, stopIds }: Answers,
  send: (choice: object) => Promise<void>,
): Promise<number> {
  const certain = new CertainTokens(stopIds);
  let offset = 0;
  const logprobsOf = (tokens: readonly GenerationEvent[]) => {
    if (!hasLogprobs || tokens.length === 0) return null;
    const told = form.logprobs(tokens, bytesOf, offset);
    for (const { id } of tokens) offset += bytesOf(id).toString().length;
    return told;
  };
  let isFirst = true;
  for await (const event of stream) {
    const logprobs = logprobsOf(certain.push(event));
    if (event.text === '' && !isFirst) continue;
    await send({ ...form.part(event.text, isFirst), logprobs, finish_reason: null });
    isFirst = false;
  }
  const result = await stream.result;
  const logprobs = logprobsOf(certain.end(result));
  await send({ ...form.last, logprobs, finish_reason: finishOf(result.finishReason) });
  return result.usage.newTokens;
}

/** @throws {ApiProblem} for an answer that was ended from outside. */
function finishOf(reason: FinishReason): string {
  if (reason !== 'aborted') return reason;
  throw new ApiProblem(503, 'The server ended before the answer did.', { code: 'stopped' });
}

const usageOf = (prompt: number, completion: number) => ({
  prompt_tokens: prompt,
  completion_tokens: completion,
  total_tokens: prompt + completion,
});
