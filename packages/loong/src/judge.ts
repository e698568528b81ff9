/**
 * Answers before a judge, as a run that loses nothing.
 */
import { sha256 } from '@lab/core';
import {
  type ChatMessage,
  type ChatRequest,
  type LlmClient,
  describedFacts,
  LlmFailure,
  type MethodRunOptions,
  parsePrompt,
  type RowContext,
  rowSettingsOf,
  type RowsResult,
  runRows,
} from '@lab/llm';
import { z } from 'zod';
import { questionText } from './assemble.js';
import type { LoongConfig } from './config.js';
import { type Judgement, parseScore, scoreRange } from './judgement.js';
import { jsonForm, jsonReminders, judgePrompts, scoreReminders } from './prompts/judge-prompts.js';
import { answerText, type LoongRecord } from './record.js';
import { version } from './version.js';

/** An answer that is to be judged. */
export interface AnsweredRecord {
  readonly id: string;
  readonly record: LoongRecord;
  readonly response: string;
}

/** Settings of {@link judgeAnswers}. */
export interface JudgeOptions extends MethodRunOptions {
  readonly answers: readonly AnsweredRecord[];
  /** The judge. */
  readonly client: LlmClient;
  readonly config: LoongConfig;
}

/** Status of an answer whose judgement has no score. */
export const unjudgedStatus = 'unparsed';

const templates = { en: parsePrompt(judgePrompts.en), zh: parsePrompt(judgePrompts.zh) };

const jsonSchema = z.object({
  explanation: z.string(),
  score: z.number().int().min(scoreRange.low).max(scoreRange.high),
});

/** What a judge is shown: the question without documents, the gold answer, the answer. */
export function judgePrompt({ record, response }: AnsweredRecord): string {
  return templates[record.language].fill({
    question: questionText(record),
    gold: answerText(record.answer),
    answer: response,
  });
}

/** The first request that judges an answer. */
export function judgeRequest(answer: AnsweredRecord, { judge }: LoongConfig): ChatRequest {
  const prompt = judgePrompt(answer);
  const content =
    judge.format === 'json' ? `${prompt}\n\n${jsonForm[answer.record.language]}` : prompt;
  const { temperature, maxTokens } = judge;
  return { messages: [{ role: 'user', content }], temperature, maxTokens };
}

/**
 * Judges answers; `predictions.jsonl` of the folder has a {@link Judgement} for each, in their
 * order. A judgement without a score is asked for again, and then stays without one, with the
 * status `unparsed`: it is never a number. A folder is gone on with where there are more answers
 * than before, and refused where one of them is another than was judged.
 *
 * @throws {InterruptedError} {BudgetError} {FailedRowsError} {LlmFailure} as `runRows`.
 */
export async function judgeAnswers(options: JudgeOptions): Promise<RowsResult> {
  const { answers, client, config, facts = {} } = options;
  return runRows<AnsweredRecord, Judgement>({
    ...rowSettingsOf(options),
    rows: answers,
    total: answers.length,
    step: (answer, context) => judgeAnswer(answer, context, config),
    hashOf: (answer) => client.hashOf(judgeRequest(answer, config)),
    client,
    description: {
      method: 'loong',
      label: facts.label ?? `judged by ${client.model}`,
      seed: config.seed,
      config: {
        kind: 'judgements',
        model: client.model,
        server: facts.server ?? null,
        mode: facts.mode ?? null,
        settings: config.judge,
        prompts: sha256(
          JSON.stringify([judgePrompts, jsonForm, scoreReminders, jsonReminders]),
        ).slice(0, 16),
      },
      ...describedFacts(facts),
      packages: { '@lab/loong': version },
    },
  });
}

/** What a judge works with for one answer. */
export type JudgeContext = Pick<RowContext, 'client' | 'setStatus'>;

/** The judgement of one answer, asked for until a score can be read. */
export async function judgeAnswer(
  answer: AnsweredRecord,
  context: JudgeContext,
  config: LoongConfig,
): Promise<Judgement> {
  const { judge } = config;
  if (answer.response.trim() === '' && !judge.judgeEmpty) {
    return { score: 0, problem: null, explanation: 'The answer is empty.', requests: 0 };
  }
  const judgement =
    judge.format === 'json'
      ? await judgeAsData(answer, context, config)
      : await judgeInWords(answer, context, config);
  if (judgement.score === null) context.setStatus(unjudgedStatus);
  return judgement;
}

async function judgeInWords(
  answer: AnsweredRecord,
  { client }: JudgeContext,
  config: LoongConfig,
): Promise<Judgement> {
  const { attempts, parse } = config.judge;
  const request = judgeRequest(answer, config);
  const reminder = scoreReminders[answer.record.language];
  let { messages } = request;
  for (let requests = 1; ; requests += 1) {
    const { text } = await client.chat({ ...request, messages });
    const parsed = parseScore(text, parse);
    if (parsed.score !== null || requests >= attempts) {
      return { score: parsed.score, problem: parsed.problem, explanation: text, requests };
    }
    messages = askedAgain(request, text, reminder);
  }
}

/** The first request, what came of it, and what is wanted instead. */
const askedAgain = (request: ChatRequest, reply: string, reminder: string): ChatMessage[] => [
  ...request.messages,
  { role: 'assistant', content: reply.trim() === '' ? '(nothing)' : reply },
  { role: 'user', content: reminder },
];

/** Replies that are no data, or were cut, are asked for again like those without a score. */
async function judgeAsData(
  answer: AnsweredRecord,
  { client }: JudgeContext,
  config: LoongConfig,
): Promise<Judgement> {
  const request = judgeRequest(answer, config);
  const reminder = jsonReminders[answer.record.language];
  let { messages } = request;
  for (let requests = 1; ; requests += 1) {
    try {
      const { json } = await client.json({ ...request, messages }, jsonSchema);
      return { score: json.score, problem: null, explanation: json.explanation, requests };
    } catch (error) {
      if (!(error instanceof LlmFailure) || !isNoData(error)) throw error;
      const explanation = error.body ?? '';
      if (requests >= config.judge.attempts) {
        return { score: null, problem: 'no-score', explanation, requests };
      }
      messages = askedAgain(request, explanation, reminder);
    }
  }
}

const isNoData = ({ kind }: LlmFailure): boolean => kind === 'parse' || kind === 'truncated';
