/**
 * What a server does with a model: the requests of the interface.
 */
import { randomUUID } from 'node:crypto';
import { createRandom, type Random } from '@lab/core';
import {
  createGenerationEngine,
  type GenerationEngine,
  type GenerationStream,
} from '../generation/engine.js';
import type { Model } from '../model.js';
import { Admission } from './admission.js';
import { type AnswerForm, type BytesOf, chatForm, textForm } from './answer-form.js';
import { ApiProblem, invalid, tooLong } from './api-problem.js';
import { deliverEvents, deliverWhole } from './deliver-answers.js';
import { embedTexts } from './embed-texts.js';
import type { Exchange } from './exchange.js';
import {
  type AnswerSettings,
  answerSettings,
  chatLogprobs,
  completionLogprobs,
  newTokensFor,
  type TokenRoom,
} from './generation-fields.js';
import {
  chatIds,
  MOST_TEXTS,
  type PromptReader,
  readMessages,
  readTexts,
  textIds,
} from './prompt-fields.js';
import type { RequestFields } from './request-fields.js';
import type { ServiceOptions } from './serve-model.js';

/** New tokens where a request does not say: those of a chat end by themselves, mostly. */
const DEFAULT_NEW_TOKENS = { messages: 1024, prompt: 16 };

/** What is wanted of the engine. */
interface Wanted {
  readonly form: AnswerForm;
  readonly prompts: readonly (readonly number[])[];
  readonly newTokens: readonly number[];
  readonly settings: AnswerSettings;
}

/** The requests that one model answers. */
export class ModelService {
  readonly engine: GenerationEngine;
  /** Tokens of a prompt and its answer, at most. */
  readonly contextTokens: number;
  private readonly reader: PromptReader;
  private readonly admission: Admission;
  private readonly bytesOf: BytesOf;
  private readonly seeds: Random;
  private embedding: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly model: Model,
    private readonly options: ServiceOptions & { readonly bytesOf: BytesOf },
  ) {
    const { tokenizer, chatFormat, maxRows, maxWaiting, cacheBytes } = options;
    this.engine = createGenerationEngine(model, { tokenizer, maxRows, cacheBytes });
    const { vocabularySize } = model.architecture;
    const { maxRows: rows, maxCachedTokens } = this.engine.load;
    this.contextTokens = Math.min(maxCachedTokens, this.engine.contextTokens ?? Infinity);
    const mostTokens = this.contextTokens;
    this.reader = { tokenizer, chatFormat: chatFormat ?? null, vocabularySize, mostTokens };
    this.admission = new Admission(rows + (maxWaiting ?? 256));
    this.bytesOf = options.bytesOf;
    this.seeds = createRandom(options.seed ?? randomUUID()).fork('serve/requests');
  }

  /** The list of models: one. */
  models(): object {
    return { object: 'list', data: [this.modelCard()] };
  }

  /** What is said of the model. */
  modelCard(): object {
    const { servedName: id, created } = this.options;
    const max_model_len = this.contextTokens;
    return { id, object: 'model', created, owned_by: 'transformer', max_model_len };
  }

  async chat(exchange: Exchange, fields: RequestFields): Promise<void> {
    this.assertModel(fields);
    const prompt = chatIds(readMessages(fields), this.reader);
    const settings = withLogprobs(answerSettings(fields), chatLogprobs(fields));
    const newTokens = newTokensFor(fields, [prompt], this.roomOf('messages'));
    fields.assertAllRead();
    await this.answer(exchange, { form: chatForm, prompts: [prompt], newTokens, settings });
  }

  async complete(exchange: Exchange, fields: RequestFields): Promise<void> {
    this.assertModel(fields);
    const prompts = await readTexts(fields, 'prompt', this.reader);
    const settings = withLogprobs(answerSettings(fields), completionLogprobs(fields));
    const newTokens = newTokensFor(fields, prompts, this.roomOf('prompt'));
    fields.assertAllRead();
    await this.answer(exchange, { form: textForm, prompts, newTokens, settings });
  }

  private roomOf(param: keyof typeof DEFAULT_NEW_TOKENS): TokenRoom {
    const defaultNewTokens = DEFAULT_NEW_TOKENS[param];
    return { contextTokens: this.contextTokens, defaultNewTokens, param };
  }

  private async answer(exchange: Exchange, wanted: Wanted): Promise<void> {
    const { form, prompts, settings } = wanted;
    const count = prompts.length * settings.answersPerPrompt;
    if (count > MOST_TEXTS) {
      throw invalid('n', `${count} answers are asked for, at most ${MOST_TEXTS} are allowed.`);
    }
    const leave = this.admission.enter(count);
    const streams: GenerationStream[] = [];
    try {
      this.submit(streams, exchange.signal, wanted);
      const { servedName: model, now } = this.options;
      const answers = {
        id: `${form.idPrefix}${randomUUID().replaceAll('-', '')}`,
        created: Math.floor(now().getTime() / 1000),
        ...{ form, model, streams, bytesOf: this.bytesOf, stopIds: this.engine.stopIds },
        promptTokens: prompts.reduce((sum, { length }) => sum + length, 0),
        hasLogprobs: settings.options.logprobs === true,
        hasUsage: settings.hasUsage,
      };
      await (settings.isStreamed ? deliverEvents : deliverWhole)(exchange, answers);
    } finally {
      for (const stream of streams) stream.abort();
      leave();
    }
  }

  /** Hands all to the engine; what it took before it refused one is among `streams`. */
  private submit(
    streams: GenerationStream[],
    signal: AbortSignal,
    { prompts, newTokens, settings }: Wanted,
  ): void {
    const { options, answersPerPrompt } = settings;
    const seed = settings.seed ?? this.seeds.seed32();
    for (const [at, prompt] of prompts.entries()) {
      for (let own = 0; own < answersPerPrompt; own += 1) {
        const sample = at * answersPerPrompt + own;
        const request = { ...options, prompt, seed, sample, signal, maxNewTokens: newTokens[at] };
        streams.push(this.engine.submit(request));
      }
    }
  }

  async embed(exchange: Exchange, fields: RequestFields): Promise<void> {
    this.assertModel(fields);
    const rows = await readTexts(fields, 'input', this.reader);
    const encoding = fields.text('encoding_format') ?? 'float';
    if (encoding !== 'float' && encoding !== 'base64') {
      throw invalid('encoding_format', "'encoding_format' must be float or base64.");
    }
    const { width } = this.model.architecture;
    fields.integer('dimensions', { least: width, most: width });
    fields.assertAllRead();
    const { contextTokens } = this;
    for (const { length } of rows) {
      if (length > contextTokens) throw tooLong({ length, contextTokens, param: 'input' });
    }
    const vectors = await this.inTurn(() => this.vectorsOf(rows, exchange.signal));
    const data = vectors.map((vector, index) => ({
      ...{ object: 'embedding', index },
      embedding: encoding === 'base64' ? base64(vector) : Array.from(vector),
    }));
    const tokens = rows.reduce((sum, { length }) => sum + length, 0);
    const usage = { prompt_tokens: tokens, total_tokens: tokens };
    exchange.json({ object: 'list', data, model: this.options.servedName, usage });
  }

  private vectorsOf(rows: readonly (readonly number[])[], signal: AbortSignal) {
    const { pooling = 'mean', tokenizer } = this.options;
    return embedTexts(this.model, rows, { pooling, paddingId: tokenizer.paddingId, signal });
  }

  /** Runs work after that of others: passes of several requests together take the memory of all. */
  private async inTurn<T>(work: () => Promise<T>): Promise<T> {
    const leave = this.admission.enter(1);
    const turn = this.embedding.then(work);
    this.embedding = turn.catch(() => undefined);
    return turn.finally(leave);
  }

  /** Counts as vLLM (`messages` or `prompt`) and llama.cpp (`content`) are asked to. */
  tokenize(exchange: Exchange, fields: RequestFields): void {
    this.assertModel(fields);
    const tokens = this.tokensOf(fields);
    fields.assertAllRead();
    exchange.json({ count: tokens.length, max_model_len: this.contextTokens, tokens });
  }

  private tokensOf(fields: RequestFields): number[] {
    // What does not fit can be counted, too, but not without end.
    const reader = { ...this.reader, mostTokens: 4 * this.contextTokens };
    const content = fields.text('content');
    if (content !== undefined) {
      const addSpecialTokens = fields.flag('add_special');
      return textIds(content, reader, { addSpecialTokens, param: 'content' });
    }
    const prompt = fields.text('prompt');
    const addSpecialTokens = fields.value('add_special_tokens') !== false;
    if (prompt !== undefined) return textIds(prompt, reader, { addSpecialTokens, param: 'prompt' });
    const withHeader = fields.value('add_generation_prompt') !== false;
    return chatIds(readMessages(fields), reader, withHeader);
  }

  /** @throws {ApiProblem} for another model than this. */
  private assertModel(fields: RequestFields): void {
    const { servedName } = this.options;
    const asked = fields.text('model') ?? servedName;
    if (asked === servedName) return;
    throw new ApiProblem(
      404,
      `The model ${JSON.stringify(asked.slice(0, 100))} does not exist; this server has ` +
        `${JSON.stringify(servedName)}.`,
      { param: 'model', code: 'model_not_found' },
    );
  }
}

const withLogprobs = (
  settings: AnswerSettings,
  logprobs: AnswerSettings['options'],
): AnswerSettings => ({ ...settings, options: { ...settings.options, ...logprobs } });

const base64 = ({ buffer, byteOffset, byteLength }: Float32Array): string =>
  Buffer.from(buffer, byteOffset, byteLength).toString('base64');
