/**
 * What the misbehaving server was asked and what was paid.
 */
import { appendFileSync, closeSync, existsSync, openSync, readFileSync, writeSync } from 'node:fs';
import type { FakeUsage } from './fake-reply.js';

/** Counts of one prompt. */
export interface PromptCounts {
  readonly received: number;
  /** Whole answers that were given, and so paid. */
  readonly paid: number;
  readonly rejected: number;
}

/** Counts of a server since its start or its last reset. */
export interface FakeCounters {
  readonly received: number;
  /** Whole answers that were given, and so paid. */
  readonly paid: number;
  /** Answers with an error status. */
  readonly rejected: number;
  /** Connections that were cut or left hanging. */
  readonly broken: number;
  /** Answers that nobody waited for any more: the client had gone. */
  readonly abandoned: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly concurrent: number;
  readonly maxConcurrent: number;
  /** Prompts that were paid more than once. */
  readonly doublePaid: number;
  /** Payments beyond the first, of all prompts. */
  readonly surplusPaid: number;
  /** By the hash of the prompt. */
  readonly byPrompt: ReadonlyMap<string, PromptCounts>;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** Counts, and keeps the hashes of paid prompts in a file where one is named. */
export class CounterLedger implements FakeCounters {
  received = 0;
  paid = 0;
  rejected = 0;
  broken = 0;
  abandoned = 0;
  promptTokens = 0;
  completionTokens = 0;
  concurrent = 0;
  maxConcurrent = 0;
  doublePaid = 0;
  surplusPaid = 0;
  readonly byPrompt = new Map<string, Writable<PromptCounts>>();
  readonly #asides = new Map<string, number>();
  #file: number | undefined;

  constructor(statePath: string | undefined) {
    if (statePath === undefined) return;
    this.#recall(statePath);
    this.#file = openSync(statePath, 'a');
  }

  /** Takes what an earlier server wrote, so that its payments still count. */
  #recall(path: string): void {
    if (!existsSync(path)) return;
    const text = readFileSync(path, 'utf8');
    for (const line of text.split('\n')) {
      const [hash, prompt, completion] = line.split(' ');
      if (hash === undefined || completion === undefined) continue;
      this.#count(hash, { prompt: Number(prompt), completion: Number(completion) });
    }
    if (text !== '' && !text.endsWith('\n')) appendFileSync(path, '\n');
  }

  /** Notes an arrival; returns which attempt of its prompt it is. */
  arrive(hash: string): number {
    this.received += 1;
    const counts = this.#of(hash);
    counts.received += 1;
    return counts.received;
  }

  /** Notes a request that is no prompt and costs nothing; returns which attempt it is. */
  arriveAside(name: string): number {
    const attempt = (this.#asides.get(name) ?? 0) + 1;
    this.#asides.set(name, attempt);
    return attempt;
  }

  enter(): void {
    this.concurrent += 1;
    if (this.concurrent > this.maxConcurrent) this.maxConcurrent = this.concurrent;
  }

  leave(): void {
    this.concurrent -= 1;
  }

  reject(hash: string): void {
    this.rejected += 1;
    const counts = this.byPrompt.get(hash);
    if (counts !== undefined) counts.rejected += 1;
  }

  /** Notes a payment; it is in the file before the client sees the answer. */
  pay(hash: string, usage: FakeUsage): void {
    if (this.#file !== undefined) {
      writeSync(this.#file, `${hash} ${usage.prompt} ${usage.completion}\n`);
    }
    this.#count(hash, usage);
  }

  #count(hash: string, usage: FakeUsage): void {
    this.paid += 1;
    this.promptTokens += usage.prompt;
    this.completionTokens += usage.completion;
    const counts = this.#of(hash);
    counts.paid += 1;
    if (counts.paid === 2) this.doublePaid += 1;
    if (counts.paid > 1) this.surplusPaid += 1;
  }

  #of(hash: string): Writable<PromptCounts> {
    let counts = this.byPrompt.get(hash);
    if (counts === undefined) {
      counts = { received: 0, paid: 0, rejected: 0 };
      this.byPrompt.set(hash, counts);
    }
    return counts;
  }

  /** Starts anew; what is in the file stays there. */
  reset(): void {
    this.received = 0;
    this.paid = 0;
    this.rejected = 0;
    this.broken = 0;
    this.abandoned = 0;
    this.promptTokens = 0;
    this.completionTokens = 0;
    this.maxConcurrent = this.concurrent;
    this.doublePaid = 0;
    this.surplusPaid = 0;
    this.byPrompt.clear();
    this.#asides.clear();
  }

  /** Plain JSON; prompt by prompt only if asked, as there can be many. */
  toJson(withPrompts: boolean): object {
    const { byPrompt, ...totals } = this;
    const prompts = byPrompt.size;
    return withPrompts
      ? { ...totals, prompts, byPrompt: Object.fromEntries(byPrompt) }
      : { ...totals, prompts };
  }

  /** Closes the file; may be called again. */
  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }
}
