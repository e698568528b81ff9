/**
 * The steps of an engine: who has a row, and what each pass computes.
 */
import { setImmediate } from 'node:timers/promises';
import { ConfigError } from '@lab/core';
import { machineMemoryBytes, selectedBackend } from '@lab/tensor';
import type { Architecture } from '../architecture.js';
import type { Model } from '../model.js';
import { assertHeld } from '../weights/placed-parts.js';
import { ChangedPasses } from './changed-passes.js';
import type {
  GenerationEngine,
  GenerationEngineOptions,
  GenerationLoad,
  GenerationRequest,
  GenerationStream,
} from './engine.js';
import { type EngineLimits, requestSettings } from './request-settings.js';
import { Row } from './row.js';
import { HookFailure } from './row-hooks.js';
import { RowSignals } from './row-signals.js';
import { runSegments, type Segment } from './segment.js';
import { stopIdsOf } from './stop-ids.js';

/** Rows of a product whose sums are made in the same order, however many of them there are. */
const SAME_BITS = 16;

/** The share of memory that keys and values may take, unless it is said. */
const SHARE = 0.25;

/** What an engine may do at once. */
interface Limits extends EngineLimits {
  readonly maxRows: number;
  readonly prefillTokens: number;
}

/** An engine of one model. */
export class EngineLoop implements GenerationEngine {
  readonly contextTokens: number | null;
  readonly stopIds: readonly number[];
  private readonly limits: Limits;
  private readonly headPlaces: readonly string[];
  private readonly waiting: Row[] = [];
  private readonly rows: Row[] = [];
  private readonly signals = new RowSignals();
  private running: Promise<void> | null = null;
  private isDisposed = false;

  constructor(
    private readonly model: Model,
    options: GenerationEngineOptions,
  ) {
    const { architecture, parts } = model;
    const { maxRows = 8, prefillTokens = 256, tokenizer } = options;
    const maxCachedTokens = options.maxCachedTokens ?? cachedTokens(architecture, options);
    for (const [name, value] of Object.entries({ maxRows, prefillTokens, maxCachedTokens })) {
      if (Number.isSafeInteger(value) && value >= 1) continue;
      throw new ConfigError(`transformer/generate: ${name} is ${value}, expected 1 or more.`);
    }
    this.contextTokens = contextOf(architecture, options);
    const endId = tokenizer?.endId ?? null;
    const known = stopIdsOf(parts.checkpoint.folder);
    this.stopIds = known.length > 0 || endId === null ? known : [endId];
    const { contextTokens, stopIds } = this;
    const counts = { maxRows, prefillTokens, maxCachedTokens, contextTokens };
    this.headPlaces = headPlaces(architecture);
    const { vocabularySize } = architecture;
    this.limits = { vocabularySize, tokenizer, stopIds, ...counts };
  }

  submit(request: GenerationRequest): GenerationStream {
    if (this.isDisposed) {
      throw new ConfigError('transformer/generate: this engine is disposed.', {
        help: 'Make another with createGenerationEngine.',
      });
    }
    assertHeld(this.model.parts);
    const { architecture } = this.model;
    const { tokenizer } = this.limits;
    const changes = new ChangedPasses(architecture, request);
    const settings = requestSettings(request, this.limits, changes);
    const row = new Row({ request, settings, blocks: architecture.blocks, tokenizer });
    const { signal } = request;
    if (signal?.aborted === true) row.finish('aborted');
    if (row.isFinished) return row.stream;
    if (signal !== undefined) this.signals.watch(row, signal);
    this.waiting.push(row);
    this.running ??= this.run();
    return row.stream;
  }

  get load(): GenerationLoad {
    const { maxRows, maxCachedTokens } = this.limits;
    const sum = (of: (row: Row) => number) => this.rows.reduce((all, row) => all + of(row), 0);
    return {
      activeRows: this.rows.filter((row) => !row.isFinished).length,
      waitingRequests: this.waiting.filter((row) => !row.isFinished).length,
      reservedTokens: sum((row) => row.reservedTokens),
      cachedBytes: sum((row) => row.cache.sizeBytes),
      ...{ maxRows, maxCachedTokens },
    };
  }

  async dispose(): Promise<void> {
    this.isDisposed = true;
    for (const row of [...this.rows, ...this.waiting]) row.finish('aborted');
    await this.running;
  }

  private async run(): Promise<void> {
    try {
      for (;;) {
        // Who asks in one go enters together.
        await setImmediate();
        this.leave();
        this.enter();
        if (this.rows.length === 0) return;
        await this.step();
      }
    } catch (error) {
      for (const row of [...this.rows, ...this.waiting]) row.fail(error);
      this.leave();
    } finally {
      this.running = null;
    }
  }

  /** Frees the rows of those that ended. */
  private leave(): void {
    for (const list of [this.rows, this.waiting]) {
      const staying = list.filter((row) => {
        if (row.isFinished) row.cache.clear();
        return !row.isFinished;
      });
      list.splice(0, list.length, ...staying);
    }
  }

  /** Gives rows to those that wait, in order, as long as there is room. */
  private enter(): void {
    const { maxRows, maxCachedTokens } = this.limits;
    let reserved = this.load.reservedTokens;
    while (this.rows.length < maxRows) {
      const next = this.waiting[0];
      if (next === undefined || reserved + next.reservedTokens > maxCachedTokens) return;
      this.waiting.shift();
      this.rows.push(next);
      reserved += next.reservedTokens;
    }
  }

  /**
   * One pass for the tokens of many rows, up to so many that products have the same bits as for one
   * alone, and one for each longer part of a prompt: whoever else is there changes nothing. Where
   * every pass reads the weights again there is one for all.
   */
  private async step(): Promise<void> {
    const { prefillTokens } = this.limits;
    const most = this.model.residency === 'resident' ? SAME_BITS : Number.POSITIVE_INFINITY;
    let left = prefillTokens;
    const passes: PassRow[][] = [];
    const open = new Map<string, Pass>();
    for (const row of this.rows) {
      const segment = row.nextSegment(prefillTokens);
      const count = segment.ids.length;
      // Parts are never cut to fit: they would end elsewhere than alone.
      if (count > 1 && left < count && left < prefillTokens) continue;
      if (count > 1) left -= count;
      // Where a text's hooks want keys or values of every head: all of a pass get them so.
      const name = this.headPlaces.filter((place) => segment.hooks.wants(place)).join();
      const known = open.get(name);
      if (known !== undefined && known.tokens + count <= most) {
        known.rows.push({ row, segment });
        known.tokens += count;
        continue;
      }
      const rows = [{ row, segment }];
      passes.push(rows);
      if (count < most) open.set(name, { rows, tokens: count });
    }
    for (const pass of passes) await this.pass(pass);
  }

  private async pass(rows: readonly PassRow[]): Promise<void> {
    const segments = rows.map(({ segment }) => segment);
    const isAbandoned = () => rows.every(({ row }) => row.isFinished);
    try {
      const logits = await runSegments(this.model, segments, isAbandoned);
      const wanted = rows.filter(({ segment }) => segment.isWanted);
      for (const [at, { row }] of wanted.entries()) accept(row, logits[at]!);
    } catch (error) {
      // Blocks that ran hold tokens that others do not: all are read again.
      for (const { row } of rows) row.cache.clear();
      if (error instanceof HookFailure) {
        const own = rows.find(({ segment }) => segment.hooks === error.hooks);
        own?.row.fail(error.cause);
      } else {
        for (const { row } of rows) row.fail(error);
      }
    }
  }
}

/** A pass that has room. */
interface Pass {
  readonly rows: PassRow[];
  tokens: number;
}

/** A row and its tokens of a pass. */
interface PassRow {
  readonly row: Row;
  readonly segment: Segment;
}

function accept(row: Row, logits: Float32Array): void {
  if (row.isFinished) return;
  try {
    row.accept(logits);
  } catch (error) {
    row.fail(error);
  }
}

/** Tokens of a prompt and its continuation, at most; null for no end. */
function contextOf(
  { positions, contextTokens }: Architecture,
  { contextTokens: asked }: GenerationEngineOptions,
): number | null {
  if (asked === undefined) return contextTokens;
  if (!Number.isSafeInteger(asked) || asked < 1) {
    throw new ConfigError(`transformer/generate: contextTokens is ${asked}, expected 1 or more.`);
  }
  return positions.kind === 'learned' ? Math.min(asked, positions.count) : asked;
}

/** Places of keys and values of every head. */
const headPlaces = ({ layerCount }: Architecture): string[] =>
  Array.from({ length: layerCount }, (_, block) =>
    ['k', 'v', 'rot_k'].map((what) => `blocks.${block}.attn.hook_${what}_heads`),
  ).flat();

/** Tokens whose keys and values fit into the memory for them. */
function cachedTokens(architecture: Architecture, { cacheBytes }: GenerationEngineOptions): number {
  const { layerCount, keyValueHeadCount, headWidth } = architecture;
  const bytesPerToken = 2 * layerCount * keyValueHeadCount * headWidth * 4;
  const memory = Math.min(machineMemoryBytes(), selectedBackend()?.memoryLimitBytes ?? Infinity);
  return Math.max(1, Math.floor((cacheBytes ?? SHARE * memory) / bytesPerToken));
}
