/**
 * Numbers that the paper prints, to be put beside those of a run.
 *
 * Source: Zhou et al., On the Role of Attention Heads in Large Language Model Safety, ICLR 2025:
 * tables 1, 2, 3, 5 and 7, and averages of section 3. Bars of figures have no numbers in print.
 */

/** Models that the paper has tables of. */
export const paperModels = ['llama-2-7b-chat', 'vicuna-7b-v1.5'] as const;

/** One of {@link paperModels}. */
export type PaperModel = (typeof paperModels)[number];

/** Data sets of the paper. */
export type PaperData = 'AdvBench' | 'JailbreakBench' | 'MaliciousInstruct';

/** Undifferentiated Attention (eq. 7) or Scaling Contribution (eq. 8). */
export type PaperAblation = 'SC' | 'UA';

/** Heads of the whole data set (a group of Sahara), or each prompt's own. */
export type PaperLevel = 'data set' | 'query';

/** Change of attack success without 1 to 5 heads. */
export interface PublishedChanges {
  readonly table: 3 | 5;
  readonly model: PaperModel;
  readonly level: PaperLevel;
  readonly ablation: PaperAblation;
  readonly data: PaperData;
  /** Without 1, 2, 3, 4 and 5 heads. */
  readonly changes: readonly [number, number, number, number, number];
  /** As printed. */
  readonly mean: number;
}

const [jbb, mi] = ['JailbreakBench', 'MaliciousInstruct'] as const;
const [llama, vicuna] = paperModels;

/** A row of tables 3 and 5, in the order of the paper. */
const row = (
  table: 3 | 5,
  [level, ablation, data]: readonly [PaperLevel, PaperAblation, PaperData],
  changes: PublishedChanges['changes'],
  mean: number,
): PublishedChanges => ({
  ...{ table, model: table === 3 ? llama : vicuna, level, ablation, data, changes, mean },
});

/** Tables 3 (Llama-2-7b-chat) and 5 (Vicuna-7b-v1.5). */
export const publishedChanges: readonly PublishedChanges[] = [
  row(3, ['data set', 'UA', mi], [0.63, 0.68, 0.72, 0.7, 0.66], 0.68),
  row(3, ['data set', 'UA', jbb], [0.58, 0.65, 0.68, 0.62, 0.63], 0.63),
  row(3, ['data set', 'SC', mi], [0.01, 0.02, 0.02, 0.01, 0.03], 0.02),
  row(3, ['data set', 'SC', jbb], [-0.01, 0, -0.01, 0, 0], 0),
  row(3, ['query', 'UA', mi], [0.66, 0.28, 0.33, 0.48, 0.56], 0.46),
  row(3, ['query', 'UA', jbb], [0.62, 0.46, 0.39, 0.52, 0.52], 0.5),
  row(3, ['query', 'SC', mi], [0.07, 0.2, 0.32, 0.24, 0.28], 0.22),
  row(3, ['query', 'SC', jbb], [0.03, 0.18, 0.41, 0.45, 0.44], 0.3),
  row(5, ['data set', 'UA', mi], [0.13, 0.15, 0.09, 0.09, 0.09], 0.11),
  row(5, ['data set', 'UA', jbb], [0.24, 0.29, 0.41, 0.35, 0.36], 0.33),
  row(5, ['data set', 'SC', mi], [0.11, 0.16, 0.1, 0.16, 0.14], 0.13),
  row(5, ['data set', 'SC', jbb], [0.16, 0.08, 0.04, 0.05, 0.05], 0.08),
  row(5, ['query', 'UA', mi], [0.17, 0.19, 0.19, 0.22, 0.22], 0.2),
  row(5, ['query', 'UA', jbb], [0.3, 0.32, 0.32, 0.35, 0.35], 0.33),
  row(5, ['query', 'SC', mi], [0.15, 0.13, 0.14, 0.17, 0.14], 0.15),
  row(5, ['query', 'SC', jbb], [0.09, 0.08, 0.14, 0.09, 0.11], 0.1),
];

/** Attack success under ways to course correction. */
export interface PublishedCorrection {
  readonly table: 7;
  readonly model: PaperModel;
  readonly data: PaperData;
  /** By the names that `ablate --course-correction` gives its arms. */
  readonly success: Readonly<Record<'opening' | 'opening-sc' | 'opening-ua' | 'sc' | 'ua', number>>;
}

/** Table 7, Llama-2-7b-chat. */
export const publishedCorrections: readonly PublishedCorrection[] = [
  correction('AdvBench', [0.35, 0.68, 0.4, 0.59, 0.07]),
  correction(jbb, [0.47, 0.76, 0.51, 0.65, 0.06]),
  correction(mi, [0.35, 0.75, 0.4, 0.67, 0.05]),
];

function correction(
  data: PaperData,
  [opening, openingUa, openingSc, ua, sc]: readonly [number, number, number, number, number],
): PublishedCorrection {
  const success = { opening, 'opening-ua': openingUa, 'opening-sc': openingSc, ua, sc };
  return { table: 7, model: llama, data, success };
}

/** A way to take refusals out of Llama-2-7b-chat. */
export interface PublishedMethod {
  readonly table: 1;
  readonly model: PaperModel;
  readonly method: string;
  /** Share of changed parameters as printed, in words. */
  readonly changedParameters: string;
  readonly success: number;
  readonly deviation: number;
  readonly granularity: 'head' | 'layer' | 'neuron' | 'rank';
  /** How this package does it. */
  readonly command: string;
}

const method = (
  [name, changedParameters, granularity]: readonly [string, string, PublishedMethod['granularity']],
  [success, deviation]: readonly [number, number],
  command: string,
): PublishedMethod => ({
  ...{ table: 1, model: llama, method: name, changedParameters, granularity },
  ...{ success, deviation, command },
});

/** Table 1. */
export const publishedMethods: readonly PublishedMethod[] = [
  method(['ActSVD', '~5 %', 'rank'], [0.73, 0.03], 'sahara baseline act-svd'),
  method(['GTAC & DAP', '~5 %', 'neuron'], [0.64, 0.03], 'sahara baseline neurons'),
  method(['LSP', '~3 %', 'layer'], [0.58, 0.04], 'sahara ablate --skip-layers'),
  method(['Sahara, 3 heads', '~0.018 %', 'head'], [0.72, 0.05], 'sahara ablate --scores'),
];

/** Mean attack success over the three data sets, paper format. */
export interface PublishedAverage {
  readonly model: PaperModel;
  readonly intact: number;
  /** Each prompt without its own first head, UA. */
  readonly firstHead: number;
}

/** Averages of section 3 (figure 2a). */
export const publishedAverages: readonly PublishedAverage[] = [
  { model: llama, intact: 0.04, firstHead: 0.64 },
  { model: vicuna, intact: 0.27, firstHead: 0.55 },
];

/** Table 2: hours on one A100 of 80 GB; the first two are extrapolated there. */
export const publishedHours = [
  { method: 'every head masked, with generation', hours: 850 },
  { method: 'ACDC', hours: 850 },
  { method: 'Ships and Sahara', hours: 6 },
] as const;

/**
 * The model of the paper that the name of a folder stands for; null for another, also for one that
 * was made of it, such as `Llama-2-7b-chat-hf-without`.
 */
export function paperModelOf(name: string): PaperModel | null {
  const words = name.toLowerCase();
  // Behind it stand the snapshot of a Hugging Face cache, or the number format of a GGUF file.
  const ends = String.raw`(?:/snapshots/[0-9a-f]+|[.-](?:i?q\d\w*|b?f\d+)\.gguf)?/?$`;
  if (new RegExp(`llama-?2-?7b-?chat(?:-hf)?${ends}`).test(words)) return llama;
  return new RegExp(String.raw`vicuna-?7b-?v?1\.5${ends}`).test(words) ? vicuna : null;
}

/** The data set of the paper that the name of a file stands for; null for another. */
export function paperDataOf(name: string): PaperData | null {
  const words = name.toLowerCase();
  if (/jailbreak-?_?bench|jbb/.test(words)) return jbb;
  if (/malicious-?_?instruct/.test(words)) return mi;
  return /advbench|harmful_behaviors/.test(words) ? 'AdvBench' : null;
}
