/**
 * Numbers that the paper prints, to stand beside one's own. Source: Loong, tables 3 to 6 and 8.
 */

/** Average score, 0..100, and perfect rate, 0..1. */
export type PublishedScore = readonly [averageScore: number, perfectRate: number];

/** A model of the paper. */
export interface PublishedModel {
  readonly name: string;
  readonly window: string;
  /** Spotlight locating, comparison, clustering, chain of reasoning. */
  readonly byLevel: readonly PublishedScore[];
  readonly bySet: readonly PublishedScore[];
  readonly overall: PublishedScore;
}

const model = (
  [name, window]: readonly [string, string],
  byLevel: readonly PublishedScore[],
  bySet: readonly PublishedScore[],
  overall: PublishedScore,
): PublishedModel => ({ name, window, byLevel, bySet, overall });

/** The models of the paper, the best first. */
export const publishedModels: readonly PublishedModel[] = [
  model(
    ['Gemini-1.5-pro', '1000K'],
    [
      [75.02, 0.56],
      [49.94, 0.27],
      [44.1, 0.09],
      [64.97, 0.37],
    ],
    [
      [63.36, 0.34],
      [55.56, 0.26],
      [52.05, 0.24],
      [50.7, 0.25],
    ],
    [55.37, 0.27],
  ),
  model(
    ['GPT-4o', '128K'],
    [
      [73.95, 0.62],
      [50.5, 0.28],
      [44.29, 0.09],
      [57.95, 0.28],
    ],
    [
      [70.4, 0.44],
      [58.38, 0.29],
      [46.95, 0.19],
      [31.11, 0.07],
    ],
    [53.47, 0.26],
  ),
  model(
    ['Claude3.5-Sonnet', '200K'],
    [
      [58.45, 0.49],
      [54.21, 0.35],
      [45.77, 0.07],
      [43.92, 0.25],
    ],
    [
      [63.69, 0.37],
      [52.73, 0.24],
      [42.06, 0.19],
      [30.51, 0.08],
    ],
    [48.85, 0.23],
  ),
  model(
    ['Claude3-Haiku', '200K'],
    [
      [68.68, 0.59],
      [42.1, 0.21],
      [35.04, 0.02],
      [47.59, 0.17],
    ],
    [
      [57.14, 0.28],
      [45.45, 0.17],
      [41.41, 0.18],
      [32.15, 0.1],
    ],
    [44.88, 0.19],
  ),
  model(
    ['Qwen2-72B-Instruct', '128K'],
    [
      [54.17, 0.36],
      [42.38, 0.2],
      [36.71, 0.04],
      [47.76, 0.18],
    ],
    [
      [60.11, 0.29],
      [45.71, 0.17],
      [35.94, 0.09],
      [28.92, 0.06],
    ],
    [43.29, 0.15],
  ),
  model(
    ['GPT-4o-mini', '128K'],
    [
      [53.12, 0.41],
      [44.27, 0.2],
      [32.58, 0.04],
      [52.34, 0.23],
    ],
    [
      [62.42, 0.36],
      [47.74, 0.19],
      [35.63, 0.11],
      [20.41, 0.02],
    ],
    [42.95, 0.18],
  ),
  model(
    ['GLM4-9B-Chat', '1000K'],
    [
      [57.35, 0.47],
      [40.38, 0.2],
      [28.52, 0.02],
      [39.94, 0.16],
    ],
    [
      [51.43, 0.25],
      [40.19, 0.17],
      [37.36, 0.16],
      [16.84, 0.05],
    ],
    [38.31, 0.16],
  ),
  model(
    ['Kimi-Chat', '200K'],
    [
      [60.98, 0.5],
      [34.74, 0.13],
      [28.76, 0.04],
      [38.52, 0.15],
    ],
    [
      [55.02, 0.24],
      [42.4, 0.16],
      [31.37, 0.14],
      [13.5, 0.05],
    ],
    [37.49, 0.16],
  ),
  model(
    ['Llama-3.1-8B-Instruct', '128K'],
    [
      [59.96, 0.46],
      [35.73, 0.18],
      [27.83, 0.01],
      [35.59, 0.14],
    ],
    [
      [48.1, 0.24],
      [41.98, 0.16],
      [28.41, 0.1],
      [22.51, 0.05],
    ],
    [36.31, 0.14],
  ),
  model(
    ['Phi-3-small', '128K'],
    [
      [29.23, 0.1],
      [20.12, 0.06],
      [17.53, 0],
      [14.36, 0.01],
    ],
    [
      [21.44, 0.05],
      [21.4, 0.04],
      [16.94, 0.01],
      [14.27, 0.01],
    ],
    [19.03, 0.03],
  ),
  model(
    ['Phi-3-mini', '128K'],
    [
      [25.65, 0.15],
      [13.34, 0.04],
      [12, 0],
      [12.61, 0.01],
    ],
    [
      [24.58, 0.07],
      [20.84, 0.05],
      [5.79, 0.01],
      [3.38, 0],
    ],
    [14.54, 0.04],
  ),
];

/** A generator with retrieved chunks in place of documents. */
export interface PublishedRetrieval {
  readonly generator: string;
  readonly embedding: string;
  readonly topK: number;
  readonly score: PublishedScore;
}

const retrieval = (
  generator: string,
  openai: readonly PublishedScore[],
  bge: readonly PublishedScore[],
) =>
  [5, 10, 30, 50].flatMap((topK, index) => [
    { generator, embedding: 'OpenAI', topK, score: openai[index]! },
    { generator, embedding: 'BGE', topK, score: bge[index]! },
  ]);

/** Overall scores with retrieval, chunks of 1,024 tokens. */
export const publishedRetrieval: readonly PublishedRetrieval[] = [
  ...retrieval(
    'GPT-4o',
    [
      [32.85, 0.11],
      [38.8, 0.14],
      [44.62, 0.18],
      [42.7, 0.18],
    ],
    [
      [34.01, 0.13],
      [38.71, 0.14],
      [45.67, 0.21],
      [46.52, 0.21],
    ],
  ),
  ...retrieval(
    'Qwen2-72B-Instruct',
    [
      [33.22, 0.1],
      [36.92, 0.13],
      [42.98, 0.18],
      [40.86, 0.17],
    ],
    [
      [34.18, 0.12],
      [37.5, 0.14],
      [40.94, 0.16],
      [40.46, 0.16],
    ],
  ),
];

/** Share of questions whose best k chunks touch every document, for k of 10, 20, 30, 40 and 50. */
export const publishedRecall: readonly {
  readonly embedding: string;
  readonly chunkTokens: number;
  readonly recall: readonly number[];
}[] = [
  { embedding: 'OpenAI', chunkTokens: 1024, recall: [0.2, 0.34, 0.43, 0.51, 0.58] },
  { embedding: 'OpenAI', chunkTokens: 2048, recall: [0.2, 0.36, 0.48, 0.57, 0.62] },
  { embedding: 'BGE', chunkTokens: 1024, recall: [0.19, 0.34, 0.44, 0.53, 0.59] },
  { embedding: 'BGE', chunkTokens: 2048, recall: [0.21, 0.38, 0.49, 0.58, 0.64] },
];

/** Scores of the same models on other benchmarks of long contexts; null where none is printed. */
export const publishedElsewhere: readonly {
  readonly name: string;
  readonly loong: number;
  readonly ruler: number | null;
  readonly noCha: number;
}[] = [
  { name: 'GPT-4o', loong: 53.47, ruler: null, noCha: 55.8 },
  { name: 'Gemini-1.5-pro', loong: 55.37, ruler: 95.8, noCha: 48.1 },
  { name: 'Claude3.5-Sonnet', loong: 48.85, ruler: null, noCha: 41 },
  { name: 'Qwen2-72B-Instruct', loong: 43.29, ruler: 85.9, noCha: 43.35 },
  { name: 'GLM4-9B-Chat', loong: 38.31, ruler: 89.9, noCha: 27.07 },
  { name: 'Llama-3.1-8B-Instruct', loong: 36.31, ruler: 88.3, noCha: 16.53 },
  { name: 'Phi-3-mini', loong: 14.54, ruler: 68.8, noCha: 9.3 },
];
