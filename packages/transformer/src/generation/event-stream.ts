/**
 * Events of one continuation, kept for whoever reads them.
 */
import type { GenerationEvent, GenerationResult, GenerationStream } from './engine.js';

/** The stream of a row, which the row writes. */
export class EventStream implements GenerationStream {
  readonly result: Promise<GenerationResult>;
  /** Fulfilled at the end, whatever it is. */
  readonly ended: Promise<void>;
  isEnded = false;
  private readonly events: GenerationEvent[] = [];
  private error: { readonly thrown: unknown } | null = null;
  private wake: () => void = () => undefined;
  private settle!: { resolve(result: GenerationResult): void; reject(error: unknown): void };

  constructor(
    readonly promptTokens: number,
    private readonly onAbort: () => void,
  ) {
    this.result = new Promise((resolve, reject) => {
      this.settle = { resolve, reject };
    });
    // Whoever reads the events alone sees the error there.
    this.ended = this.result.then(
      () => undefined,
      () => undefined,
    );
  }

  push(event: GenerationEvent): void {
    this.events.push(event);
    this.wake();
  }

  end(result: GenerationResult): void {
    this.isEnded = true;
    this.settle.resolve(result);
    this.wake();
  }

  fail(thrown: unknown): void {
    if (this.isEnded) return;
    this.isEnded = true;
    this.error = { thrown };
    this.settle.reject(thrown);
    this.wake();
  }

  abort(): void {
    if (!this.isEnded) this.onAbort();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<GenerationEvent> {
    try {
      for (let at = 0; ; ) {
        while (at < this.events.length) {
          yield this.events[at]!;
          at += 1;
        }
        if (this.error !== null) throw this.error.thrown;
        if (this.isEnded) return;
        await new Promise<void>((resolve) => {
          this.wake = resolve;
        });
      }
    } finally {
      this.abort();
    }
  }
}
