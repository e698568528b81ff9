import type { z } from 'zod';
import type {
  ChatMessage,
  ChatRequest,
  ChatResult,
  JsonOrigin,
  JsonResult,
  StructuredLevel,
} from '../chat.js';
import { LlmFailure } from '../llm-failure.js';
import { requestDefaults } from '../request-hash.js';
import { joinResults } from './join-results.js';
import { type ParsedAnswer, parseAnswer } from './parse-answer.js';
import type { JsonOutcome } from './rates.js';
import { withSchema } from './with-schema.js';

/** Settings of {@link askForJson}. */
export interface JsonOptions {
  readonly level: StructuredLevel;
  /** Tokens that an answer may have when it is asked again because it was cut; default 16,384. */
  readonly maxTokensCap?: number;
  /** Told once what became of the answer, for rates by model. */
  readonly onOutcome?: (outcome: JsonOutcome) => void;
}

/** An answer that is no JSON of the schema, whole: kinds `parse` and `truncated`. */
export class UnparsedAnswer extends LlmFailure {
  /** The last answer, uncut. */
  readonly text: string;
  /** All calls together, as they were paid. */
  readonly result: ChatResult;
  /** How the server was told the form. */
  readonly level: StructuredLevel;

  constructor(kind: 'parse' | 'truncated', result: ChatResult, { problems, level }: UnparsedFacts) {
    const what =
      kind === 'truncated'
        ? `was cut after ${result.usage.completion} tokens`
        : `does not fit its schema (${problems.join('; ')})`;
    super(`llm/json: the answer of ${result.servedModel} ${what}, ${requestsOf(result)}.`, {
      kind,
      isRetryable: false,
      attempts: result.attempts,
      paid: { usage: result.usage, costUsd: result.costUsd },
      body: result.text.slice(0, longestBody),
      help:
        kind === 'truncated'
          ? 'Raise maxTokens, or ask for less in one answer.'
          : 'Simplify the schema or describe it in the prompt; the answer is kept as `text`.',
    });
    this.text = result.text;
    this.result = result;
    this.level = level;
  }
}

/** What is wrong with an answer, and how it was asked for. */
export interface UnparsedFacts {
  readonly problems: readonly string[];
  readonly level: StructuredLevel;
}

function requestsOf({ attempts }: ChatResult): string {
  if (attempts === 0) return 'and is kept from earlier';
  return attempts === 1 ? 'after 1 request' : `after ${attempts} requests`;
}

const longestBody = 2048;
const defaultCap = 16_384;
/** Of a reply that is shown again for repair. */
const longestReply = 16_384;

/**
 * The answer to a request as data of a schema.
 *
 * The server is told the form as the level says. The answer is parsed with local repairs; one that
 * was cut is asked for again with twice the tokens; one that does not fit is shown to the model
 * once more, at temperature 0, with what is wrong. Usage and cost are those of all calls. An answer
 * that is still cut and could be closed has the warning `truncated`.
 *
 * @param ask - one call, such as `client.chat`.
 * @param schema - an object for levels `json-schema` and `server-field`, as servers demand it. Put
 *   a reason before a verdict: the order of keys is the order in which a model writes.
 * @throws {UnparsedAnswer} of kind `parse`, or `truncated` where the answer was cut.
 * @throws {LlmFailure} of `ask`.
 */
export async function askForJson<T>(
  ask: (request: ChatRequest) => Promise<ChatResult>,
  request: ChatRequest,
  schema: z.ZodType<T>,
  options: JsonOptions,
): Promise<JsonResult<T>> {
  try {
    const answer = await askUntilItFits(ask, request, schema, options);
    options.onOutcome?.(answer.origin);
    return answer;
  } catch (error) {
    if (error instanceof UnparsedAnswer) options.onOutcome?.('failed');
    throw error;
  }
}

async function askUntilItFits<T>(
  ask: (request: ChatRequest) => Promise<ChatResult>,
  request: ChatRequest,
  schema: z.ZodType<T>,
  { level, maxTokensCap = defaultCap }: JsonOptions,
): Promise<JsonResult<T>> {
  let asked = withSchema(request, schema, level);
  let last = await ask(asked);
  let all = last;
  let parsed = await parse(last, schema);
  const maxTokens = asked.maxTokens ?? requestDefaults.maxTokens;
  if (needsRoom(last, parsed) && maxTokens < maxTokensCap) {
    asked = { ...asked, maxTokens: Math.min(2 * maxTokens, maxTokensCap) };
    last = await ask(asked);
    all = joinResults(all, last);
    parsed = await parse(last, schema);
  }
  if (parsed.fits) return finished(all, parsed, level);
  if (last.finish === 'length') {
    throw new UnparsedAnswer('truncated', all, { problems: parsed.problems, level });
  }
  last = await ask(repairRequest(asked, last.text, parsed.problems));
  all = joinResults(all, last);
  parsed = await parse(last, schema);
  if (parsed.fits) return finished(all, { ...parsed, origin: 'repaired-by-call' }, level);
  const kind = last.finish === 'length' ? 'truncated' : 'parse';
  throw new UnparsedAnswer(kind, all, { problems: parsed.problems, level });
}

function parse<T>(result: ChatResult, schema: z.ZodType<T>): Promise<ParsedAnswer<T>> {
  return parseAnswer(result.text, schema, result.finish);
}

function needsRoom(result: ChatResult, parsed: ParsedAnswer<unknown>): boolean {
  return result.finish === 'length' && (!parsed.fits || parsed.isCut);
}

function finished<T>(
  result: ChatResult,
  { json, origin, isCut }: { json: T; origin: JsonOrigin; isCut: boolean },
  level: StructuredLevel,
): JsonResult<T> {
  const warnings = isCut
    ? [...result.warnings, 'truncated: the answer was cut, and its JSON closed']
    : result.warnings;
  return { ...result, warnings, json, origin, level };
}

function repairRequest(
  request: ChatRequest,
  reply: string,
  problems: readonly string[],
): ChatRequest {
  const list = problems.map((problem) => `- ${problem}`).join('\n');
  const messages: ChatMessage[] = [
    ...request.messages,
    { role: 'assistant', content: reply.slice(0, longestReply) || '(nothing)' },
    {
      role: 'user',
      content:
        `The reply above cannot be used:\n${list}\n` +
        'Write it again as JSON of the demanded form. Keep its meaning and add no other text.',
    },
  ];
  return { ...request, messages, temperature: 0 };
}
