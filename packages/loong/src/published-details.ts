/**
 * Further numbers that the paper prints, of parts of the benchmark. Source: Loong, section 4 and
 * the part about retrieval of section 5; of the models by task and set only the strongest are here.
 */
/** A model in one length set, task by task. */
export interface PublishedCells {
  readonly name: string;
  readonly set: 1 | 2 | 3 | 4;
  /**
   * Average scores of spotlight locating, comparison, clustering and chain of reasoning, 0..100.
   */
  readonly scores: readonly number[];
  /** Perfect rates, where they are known here. */
  readonly perfect?: readonly number[];
}

/** The strongest models by task and set. */
export const publishedCells: readonly PublishedCells[] = [
  {
    name: 'GPT-4o',
    set: 1,
    scores: [85.67, 64.27, 57.01, 81.58],
    perfect: [0.81, 0.33, 0.24, 0.55],
  },
  { name: 'GPT-4o', set: 2, scores: [86.76, 59.81, 47.83, 62.09] },
  { name: 'GPT-4o', set: 3, scores: [74.84, 42.4, 38.7, 45.06] },
  { name: 'GPT-4o', set: 4, scores: [36.79, 23.97, 30.4, 32.89] },
  { name: 'Gemini-1.5-pro', set: 4, scores: [62.23, 43.08, 36.48, 68.51] },
];

/** Scores with retrieval where they are better than those on whole documents. */
export interface PublishedGain {
  readonly generator: string;
  readonly embedding: string;
  readonly topK: number;
  /** A set or a task. */
  readonly part: 'set 4' | 'spotlight locating';
  readonly whole: number;
  readonly retrieved: number;
}

/** Where the paper finds that retrieval helps: beyond the window, and in locating. */
export const publishedGains: readonly PublishedGain[] = [
  {
    ...{ generator: 'GPT-4o', embedding: 'BGE', topK: 50 },
    ...{ part: 'set 4', whole: 31.11, retrieved: 33.82 },
  },
  {
    ...{ generator: 'Qwen2-72B-Instruct', embedding: 'BGE', topK: 10 },
    ...{ part: 'spotlight locating', whole: 54.17, retrieved: 69.24 },
  },
];
