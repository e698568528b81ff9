/**
 * Answers of a provider batch into the store.
 */
import type { AnswerStore, StoredAnswer } from './answer-cache.js';
import { type BatchForm, type BatchLine, eachBatchLine } from './batch-lines.js';
import type { CallProblem } from './call-problem.js';
import { problemOfAnswer } from './call-problem.js';
import { type ChatAnswer, judgeChat } from './chat-answer.js';
import type { ChatMessage } from './chat.js';
import type { FailureKind } from './llm-failure.js';
import { createPromptCheck, type PromptCheck } from './prompt-check.js';
import { readChat } from './raw-chat.js';
import { createRedactor } from './redact.js';
import { countMessages, countTokens } from './tokens.js';

/** A request of a batch that brought no answer. */
export interface BatchFailure {
  readonly hash: string;
  readonly kind: FailureKind;
  readonly httpStatus: number | null;
  readonly message: string;
  readonly body?: string;
}

/** Settings of {@link importBatch}. */
export interface ImportBatchOptions {
  readonly store: AnswerStore;
  /** Where the server does not name one. */
  readonly model?: string | undefined;
  /**
   * The requests by hash (see {@link readBatchMessages}): then answers to cut prompts are found,
   * and what is missing or foreign is counted.
   */
  readonly messages?: ReadonlyMap<string, readonly ChatMessage[]> | undefined;
  readonly onFailure?: ((failure: BatchFailure) => void) | undefined;
}

/** What {@link importBatch} did. */
export interface BatchImport {
  /** Answers that are in the store now and were not before. */
  readonly imported: number;
  /** Answers that were there already. */
  readonly known: number;
  readonly failed: number;
  /** Lines whose request is none of the batch; they are left out. */
  readonly foreign: number;
  /** Requests without a line; null where the requests were not given. */
  readonly missing: number | null;
}

/**
 * Puts the answers of batches into the store; failures are told and kept apart, so that a run asks
 * for them again. Lines may stand in any order, and files may be imported again.
 *
 * @param paths - output and error files of the provider, or the output of vLLM's `run-batch`.
 * @throws {DataError} for a line that is no answer of a batch.
 */
export async function importBatch(
  paths: readonly string[],
  options: ImportBatchOptions,
): Promise<BatchImport> {
  const importer = new Importer(options);
  for (const path of paths) {
    // Answers go one after the other: the check for cut prompts learns from their order.
    let last: Promise<void> = Promise.resolve();
    try {
      await eachBatchLine(path, answerForm, (answered) => {
        last = last.then(() => importer.take(answered));
        last.catch(() => undefined); // it is awaited below, but only after the file is read
      });
    } finally {
      // What stands before a line that is none was paid for as well.
      await last;
      await importer.finish();
    }
  }
  return importer.summary();
}

/** One line of a provider's file. */
interface BatchAnswer extends BatchLine {
  readonly response?: {
    readonly status_code?: number | undefined;
    readonly body?: unknown;
  } | null;
  /** An object with code and message; vLLM also gives a text, or the body of an error. */
  readonly error?: unknown;
}

const answerForm: BatchForm<BatchAnswer> = {
  name: 'an answer',
  help: 'give the output file of the provider; an incomplete one must be fetched again.',
  isLine: (value): value is BatchAnswer => {
    const { response, error } = value as BatchAnswer;
    const hasResponse = typeof response === 'object' && response !== null;
    return hasResponse || (error !== undefined && error !== null);
  },
};

/** Keys never stand in a batch, so that only what looks like one is taken out. */
const redact = createRedactor([]);

class Importer {
  imported = 0;
  known = 0;
  failed = 0;
  foreign = 0;
  readonly #options: ImportBatchOptions;
  /** By the model that answers: what one learns of its tokenizer says nothing of another. */
  readonly #checks = new Map<string, PromptCheck>();
  readonly #seen = new Set<string>();
  readonly #writes = new Set<Promise<void>>();

  constructor(options: ImportBatchOptions) {
    this.#options = options;
  }

  async take(line: BatchAnswer): Promise<void> {
    const { store, messages } = this.#options;
    const { custom_id: hash } = line;
    if (messages !== undefined && !messages.has(hash)) {
      this.foreign += 1;
      return;
    }
    const { answer, problem } = outcomeOf(line);
    this.#seen.add(hash);
    if (answer === undefined) {
      this.#fail(hash, problem);
    } else if (store.has(hash)) {
      this.known += 1;
    } else if (await this.#isCut(hash, answer)) {
      const message = `the server cut the prompt: it read ${answer.usage?.prompt} tokens only`;
      this.#fail(hash, { kind: 'truncated', message });
    } else {
      await this.#put(await this.#stored(hash, answer));
    }
  }

  /** Many writes share one wait for the disk. */
  async #put(answer: StoredAnswer): Promise<void> {
    const write = this.#options.store.put(answer);
    write.catch(() => undefined); // it is awaited with the others
    this.imported += 1;
    this.#writes.add(write);
    if (this.#writes.size >= writesAtOnce) await this.finish();
  }

  async finish(): Promise<void> {
    const writes = [...this.#writes];
    this.#writes.clear();
    await Promise.all(writes);
  }

  async #isCut(hash: string, { usage, servedModel }: ChatAnswer): Promise<boolean> {
    const messages = this.#options.messages?.get(hash);
    if (messages === undefined || usage === null) return false;
    const model = servedModel ?? '';
    const check = this.#checks.get(model) ?? createPromptCheck();
    this.#checks.set(model, check);
    return check.isCut(messages, usage.prompt);
  }

  async #stored(hash: string, answer: ChatAnswer): Promise<StoredAnswer> {
    const { text, reasoning, logprobs, finish } = answer;
    const servedModel = answer.servedModel ?? this.#options.model ?? '';
    const usage = answer.usage ?? {
      prompt: await countMessages(this.#options.messages?.get(hash) ?? []),
      completion: await countTokens(`${reasoning ?? ''}${text}`),
      ...{ cached: 0, reasoning: 0, isEstimated: true },
    };
    return {
      ...{ hash, servedModel, text, reasoning, logprobs, finish, latencyMs: 0 },
      usage: { ...usage },
    };
  }

  #fail(hash: string, problem: Pick<CallProblem, 'body' | 'kind' | 'message' | 'status'>): void {
    this.failed += 1;
    const { kind, message, status = null, body } = problem;
    const failure = { hash, kind, httpStatus: status, message };
    this.#options.onFailure?.(body === undefined ? failure : { ...failure, body });
  }

  summary(): BatchImport {
    const { imported, known, failed, foreign } = this;
    const { messages } = this.#options;
    const missing = messages === undefined ? null : messages.size - this.#seen.size;
    return { imported, known, failed, foreign, missing };
  }
}

const writesAtOnce = 1000;

type Outcome =
  | { readonly answer: ChatAnswer; readonly problem?: undefined }
  | { readonly answer?: undefined; readonly problem: CallProblem };

function outcomeOf({ response, error }: BatchAnswer): Outcome {
  if (response === undefined || response === null) {
    const message = redact(`the batch brought no answer: ${errorText(error)}`);
    return { problem: { class: 'final', kind: 'server', message, retryAfterMs: null } };
  }
  const { status_code: status = 200 } = response;
  if (status !== 200) {
    const said = response.body ?? (typeof error === 'string' ? { message: error } : error) ?? null;
    const answer = { status, headers: {}, body: JSON.stringify(said), isStream: false };
    return { problem: problemOfAnswer(answer, { redact, date: 0 }) };
  }
  const judged = judgeChat(readChat(JSON.stringify(response.body ?? null)), redact);
  return judged.problem === undefined ? { answer: judged.value } : { problem: judged.problem };
}

function errorText(error: unknown): string {
  if (typeof error !== 'object' || error === null) return String(error);
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  const text = typeof message === 'string' ? message : JSON.stringify(error).slice(0, 300);
  return typeof code === 'string' ? `${text} (${code})` : text;
}
