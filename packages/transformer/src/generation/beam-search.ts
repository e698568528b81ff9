/**
 * Beam search over one text.
 */
import { mostProbable, logProbabilities } from './sampling.js';

/** How beams are searched. */
export interface BeamOptions {
  /** Beams that go on together; 1 is greedy. Default 1. */
  readonly numBeams?: number | undefined;
  /**
   * p of the score of a whole text, its log-probability over `length^p`: above 0 for longer, below
   * for shorter ones. Default 1.
   */
  readonly lengthPenalty?: number | undefined;
  /**
   * When to end: true once so many texts are whole as there are beams; false where the best beam is
   * worse by its present length than all whole texts; `never` where it is by any length. Default
   * false.
   */
  readonly earlyStopping?: boolean | 'never' | undefined;
}

/** What ends a text. */
export interface BeamEnds {
  readonly maxNewTokens: number;
  readonly minNewTokens: number;
  readonly stopIds: ReadonlySet<number>;
}

/** A beam that goes on. */
export interface Beam {
  readonly ids: readonly number[];
  /** Sum of log-probabilities. */
  readonly score: number;
  /** Its place among the beams of the step before. */
  readonly parent: number;
}

/** A whole text and its score, by which texts are ranked. */
export interface WholeBeam {
  readonly ids: readonly number[];
  readonly score: number;
}

const NONE: ReadonlySet<number> = new Set();

/**
 * The beams of one text, step by step, as `transformers` has them: each step the best continuations
 * of all beams, whole ones among the first of them kept apart, the best others going on.
 */
export class BeamSearch {
  /** Beams that want logits; the empty one at first. */
  beams: readonly Beam[] = [{ ids: [], score: 0, parent: 0 }];
  isDone = false;
  private whole: readonly WholeBeam[] = [];
  private length = 0;
  private readonly options: Required<{ [K in keyof BeamOptions]: NonNullable<BeamOptions[K]> }>;

  constructor(
    { numBeams = 1, lengthPenalty = 1, earlyStopping = false }: BeamOptions,
    private readonly ends: BeamEnds,
  ) {
    this.options = { numBeams, lengthPenalty, earlyStopping };
  }

  /** Goes one token on. @param logits - of the next token of each beam, `[V]` each. */
  advance(logits: readonly Float32Array[]): void {
    const { numBeams, lengthPenalty } = this.options;
    const { maxNewTokens, stopIds } = this.ends;
    const candidates = this.candidates(logits);
    this.length += 1;
    const isWhole = ({ ids }: WholeBeam) => ids.length >= maxNewTokens || stopIds.has(ids.at(-1)!);
    const ended = candidates.slice(0, numBeams).filter(isWhole);
    const scored = ended.map(({ ids, score }) => ({
      ids,
      score: score / this.length ** lengthPenalty,
    }));
    this.whole = [...this.whole, ...scored]
      .toSorted((a, b) => b.score - a.score)
      .slice(0, numBeams);
    this.beams = candidates.filter((one) => !isWhole(one)).slice(0, numBeams);
    this.isDone = this.beams.length === 0 || this.hasEnough();
  }

  /** The best continuations of all beams, best first; beside whole ones there are enough others. */
  private candidates(logits: readonly Float32Array[]): Beam[] {
    const { minNewTokens, stopIds } = this.ends;
    const count = Math.max(2, 1 + stopIds.size) * this.options.numBeams;
    const barred = this.length < minNewTokens ? stopIds : NONE;
    const all = this.beams.flatMap(({ ids, score }, parent) => {
      const own = logits[parent]!;
      const logprobOf = logProbabilities(own);
      return mostProbable(own, count, barred).map((id) => ({
        ...{ ids: [...ids, id], score: score + logprobOf(id), parent },
      }));
    });
    return all.toSorted((a, b) => b.score - a.score).slice(0, count);
  }

  /** Whether no beam may become better than the whole texts. */
  private hasEnough(): boolean {
    const { numBeams, lengthPenalty, earlyStopping } = this.options;
    if (this.whole.length < numBeams) return false;
    if (earlyStopping === true) return true;
    const isLongest = earlyStopping === 'never' && lengthPenalty > 0;
    const length = isLongest ? this.ends.maxNewTokens : this.length;
    return this.beams[0]!.score / length ** lengthPenalty <= this.whole.at(-1)!.score;
  }

  /** Whole texts, best first; none before the first is done. */
  get results(): readonly WholeBeam[] {
    return this.whole;
  }
}
