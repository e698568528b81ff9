/**
 * One continuation: its tokens, its text, and who listens.
 */
import { createRandom, type Random } from '@lab/core';
import type { Architecture } from '../architecture.js';
import type { Tokenizer } from '../tokenizer.js';
import type {
  FinishReason,
  GenerationEvent,
  GenerationRequest,
  GenerationResult,
  TokenLogprob,
} from './engine.js';
import { EventStream } from './event-stream.js';
import type { RequestSettings } from './request-settings.js';
import { RowCache } from './row-cache.js';
import { RowHooks } from './row-hooks.js';
import { nextToken, tokenLogprobs } from './sampling.js';
import type { Segment } from './segment.js';
import { anglesName } from './segment-positions.js';
import { StopSearch } from './stop-search.js';
import { TextStream } from './text-stream.js';

/** Tokens that may not be taken, where all may. */
const NONE: ReadonlySet<number> = new Set();

/** What a row is made of. */
export interface RowParts {
  readonly request: GenerationRequest;
  readonly settings: RequestSettings;
  /** Of the model; empty for one without rotary positions. */
  readonly blocks: Architecture['blocks'];
  readonly tokenizer: Tokenizer | undefined;
}

/** A continuation under way. */
export class Row {
  readonly stream: EventStream;
  readonly cache = new RowCache();
  /** Prompt and new tokens. */
  private readonly tokens: number[];
  private readonly events: GenerationEvent[] = [];
  private readonly random: Random;
  private readonly text: TextStream | null;
  private readonly stops: StopSearch;
  private cacheName = '';

  constructor(private readonly parts: RowParts) {
    const { request, settings, tokenizer } = parts;
    this.tokens = [...settings.prompt];
    this.random = createRandom(request.seed ?? 0).fork(`generate/${request.sample ?? 0}`);
    this.text = tokenizer === undefined ? null : new TextStream(tokenizer, settings.prompt);
    this.stops = new StopSearch(settings.stop);
    this.stream = new EventStream(settings.prompt.length, () => this.finish('aborted'));
  }

  /** Whether it has its reason to end. */
  get isFinished(): boolean {
    return this.stream.isEnded;
  }

  /** Tokens that it takes of what can be kept, at most. */
  get reservedTokens(): number {
    const { prompt, maxNewTokens } = this.parts.settings;
    return prompt.length + maxNewTokens;
  }

  private get newTokens(): number {
    return this.tokens.length - this.parts.settings.prompt.length;
  }

  /**
   * The tokens of the next pass. What was kept under other changes is given up before.
   *
   * @param most - tokens of a part of a long text.
   */
  nextSegment(most: number): Segment {
    const { blocks, settings, request } = this.parts;
    const step = this.newTokens;
    const { hooks, name, isWhole: isAtOnce } = settings.changes.at(step);
    const isWhole = isAtOnce || request.useCache === false;
    const { length } = this.tokens;
    const cacheName = `${name};${anglesName(blocks, length)}`;
    if (isWhole || cacheName !== this.cacheName) this.cache.clear();
    this.cacheName = cacheName;
    const start = this.cache.length;
    // Parts end at the same places, whoever else is there.
    const end = isWhole ? length : Math.min(length, most * (Math.floor(start / most) + 1));
    return {
      ids: Int32Array.from(this.tokens.slice(start, end)),
      ...{ start, length, cache: this.cache },
      hooks: new RowHooks(hooks, { step, start, last: end - 1 }),
      isWanted: end === length,
    };
  }

  /** Takes the next token by the logits behind all tokens so far. */
  accept(logits: Float32Array): void {
    const { request, settings } = this.parts;
    const { minNewTokens, maxNewTokens, stopIds } = settings;
    const barred = this.newTokens < minNewTokens ? stopIds : NONE;
    const id = nextToken({ logits, barred }, request, () => this.random.uniform());
    this.tokens.push(id);
    const isStop = stopIds.has(id);
    const isLast = isStop || this.newTokens >= maxNewTokens;
    const { text, stop } = this.textOf(id, { isStop, isLast });
    const told = this.logprobsOf(logits, id);
    const event: GenerationEvent = { id, text, ...told };
    this.events.push(event);
    this.stream.push(event);
    if (stop !== null) this.finish('stop', stop);
    else if (isStop) this.finish('stop', id);
    else if (isLast) this.finish('length');
  }

  private logprobsOf(
    logits: Float32Array,
    id: number,
  ): { logprob?: number; topLogprobs?: readonly TokenLogprob[] } {
    const { logprobs = false, topLogprobs = 0 } = this.parts.request;
    return logprobs || topLogprobs > 0 ? tokenLogprobs(logits, id, topLogprobs) : {};
  }

  /** Text that is certain with a token, and the stop text that it completes. */
  private textOf(
    id: number,
    { isStop, isLast }: { readonly isStop: boolean; readonly isLast: boolean },
  ): { readonly text: string; readonly stop: string | null } {
    if (this.text === null) return { text: '', stop: null };
    // A stop id is no text, whatever the vocabulary calls it.
    const added = (isStop ? '' : this.text.push(id)) + (isLast ? this.text.end() : '');
    if (this.newTokens < this.parts.settings.minNewTokens) return { text: added, stop: null };
    const { text, stop } = this.stops.push(added);
    return { text: stop === null && isLast ? text + this.stops.release() : text, stop };
  }

  /** Ends it; the cache is freed by whoever runs the passes. */
  finish(finishReason: FinishReason, stoppedBy: number | string | null = null): void {
    if (this.isFinished) return;
    const { prompt } = this.parts.settings;
    const ids = this.tokens.slice(prompt.length);
    // Of an aborted one, what was held back stays away: it may be the begin of a stop text.
    const text = this.events.map((event) => event.text).join('');
    const usage = { promptTokens: prompt.length, newTokens: ids.length };
    const result: GenerationResult = {
      ...{ ids, text, finishReason, stoppedBy, usage },
      events: this.events,
    };
    this.stream.end(result);
  }

  /** Ends it with an error. */
  fail(error: unknown): void {
    this.stream.fail(error);
  }
}
