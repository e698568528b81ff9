/**
 * Where the weights of blocks come from when they are to run.
 */
import { disposeRead, disposeWeights, type OnBackend, onBackend } from './on-backend.js';

/** Blocks that are read by their number. */
export interface StoredBlocks<Stored extends object> {
  readonly count: number;
  read(index: number): Promise<Stored>;
}

/**
 * Weights of blocks on the backend: all of them, or one at a time, while the next one is read.
 */
export class BlockSource<Stored extends object> {
  private readonly placed = new Map<number, OnBackend<Stored>>();
  private ahead: { readonly index: number; readonly stored: Promise<Stored> } | null = null;

  constructor(
    private readonly blocks: StoredBlocks<Stored>,
    private readonly isResident: boolean,
  ) {}

  /**
   * What `work` makes of the weights of a block. They may be gone once it returns, as passes that
   * are under way together share one place.
   *
   * @param work - synchronous.
   */
  async use<T>(index: number, work: (weights: OnBackend<Stored>) => T): Promise<T> {
    const known = this.placed.get(index);
    if (known !== undefined) return work(known);
    const stored = await this.taken(index);
    const meanwhile = this.placed.get(index);
    if (meanwhile !== undefined) {
      disposeRead(stored);
      return work(meanwhile);
    }
    if (!this.isResident) this.free();
    const weights = onBackend(stored);
    this.placed.set(index, weights);
    if (!this.isResident && index + 1 < this.blocks.count) this.readAhead(index + 1);
    return work(weights);
  }

  /** The block that was read ahead, where it is this one, else this one. */
  private taken(index: number): Promise<Stored> {
    const { ahead } = this;
    this.ahead = null;
    if (ahead?.index === index) return ahead.stored;
    forgotten(ahead?.stored);
    return this.blocks.read(index);
  }

  private readAhead(index: number): void {
    forgotten(this.ahead?.stored);
    const stored = this.blocks.read(index);
    // Who asks for it sees the failure; nobody may.
    stored.catch(() => undefined);
    this.ahead = { index, stored };
  }

  /** Brings all blocks onto the backend, where they are to stay there. */
  async readAll(): Promise<void> {
    if (!this.isResident) return;
    for (let index = 0; index < this.blocks.count; index += 1) {
      await this.use(index, () => undefined);
    }
  }

  private free(): void {
    for (const weights of this.placed.values()) disposeWeights(weights);
    this.placed.clear();
  }

  /** Frees what is on the backend. */
  dispose(): void {
    forgotten(this.ahead?.stored);
    this.ahead = null;
    this.free();
  }
}

/** Frees a block that nobody will ask for, once it is there. */
function forgotten(stored: Promise<object> | undefined): void {
  stored?.then(disposeRead, () => undefined);
}
