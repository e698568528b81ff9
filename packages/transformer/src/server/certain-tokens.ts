/**
 * Which tokens of an answer are told with their log-probabilities, and when.
 */
import type { GenerationEvent, GenerationResult } from '../generation/engine.js';

/**
 * Holds tokens back until their text is certain: those that a stop text takes away are never told,
 * nor is a stop id. So a stream tells the same tokens as a whole answer.
 */
export class CertainTokens {
  private held: GenerationEvent[] = [];

  constructor(private readonly stopIds: readonly number[]) {}

  /** Tokens that are certain with an event. */
  push(event: GenerationEvent): readonly GenerationEvent[] {
    if (!this.stopIds.includes(event.id)) this.held.push(event);
    return event.text === '' ? [] : this.release();
  }

  /** What is left at the end. */
  end({ stoppedBy }: GenerationResult): readonly GenerationEvent[] {
    return typeof stoppedBy === 'string' ? [] : this.release();
  }

  private release(): readonly GenerationEvent[] {
    const certain = this.held;
    this.held = [];
    return certain;
  }
}
