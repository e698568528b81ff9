/**
 * How many answers are under way or wait.
 */
import { ApiProblem } from './api-problem.js';

/** Lets requests in as long as there is room. */
export class Admission {
  private open = 0;

  /** @param most - answers under way and waiting, together. */
  constructor(private readonly most: number) {}

  /**
   * Lets a request in, all its answers together.
   *
   * @returns what the request calls at its end.
   * @throws {ApiProblem} 429 where the queue is full.
   */
  enter(count: number): () => void {
    if (this.open >= this.most) {
      throw new ApiProblem(429, `${this.open} answers are under way or wait; ask again later.`, {
        ...{ code: 'queue_full', headers: { 'retry-after': '1' } },
      });
    }
    this.open += count;
    return () => {
      this.open -= count;
    };
  }
}
