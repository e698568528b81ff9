/**
 * Scores as the benchmark reports them.
 */
import { createRandom } from '@lab/core';
import { bootstrap, mean, spearman, wilson } from '@lab/metrics';
import { type Coverage, coverageNames } from './coverage.js';
import type { ScoredRecord } from './scored-record.js';
import { levels, setsOf, subtaskOf, subtasks, taskNames } from './tasks.js';

/** A number and its 95 % interval. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Scores of a group of questions. */
export interface GroupScores {
  readonly name: string;
  /** Questions. */
  readonly n: number;
  /** Questions with a score. */
  readonly scored: number;
  /** Questions without one, which `missing` leaves out or counts as 0. */
  readonly missing: number;
  /** Mean score, 0..100; null where there is none. */
  readonly averageScore: Estimate | null;
  /** Share of questions with the score 100; null where there is none. */
  readonly perfectRate: Estimate | null;
}

/** How documents were left out in a length set. */
export interface TruncationRate {
  readonly set: number;
  readonly n: number;
  /** Share of questions without all of their documents. */
  readonly truncated: number;
  /** Mean share of documents that were left out. */
  readonly droppedShare: number;
}

/** Scores by where the document with the evidence stood in the prompt. */
export interface PositionScores extends GroupScores {
  /** Ends of the part of the prompt, as shares of its documents. */
  readonly from: number;
  readonly to: number;
}

/** The evaluation of a run. */
export interface Evaluation {
  readonly overall: GroupScores;
  readonly byLevel: readonly GroupScores[];
  readonly bySet: readonly GroupScores[];
  /** For each level the sets in order. */
  readonly byLevelAndSet: readonly (readonly GroupScores[])[];
  readonly bySubtask: readonly GroupScores[];
  readonly byDomain: readonly GroupScores[];
  readonly byLanguage: readonly GroupScores[];
  /** By how many of their documents the model saw, see {@link coverageNames}. */
  readonly byCoverage: readonly GroupScores[];
  /** Spotlight alone. */
  readonly byPosition: readonly PositionScores[];
  readonly truncation: readonly TruncationRate[];
  /** Questions without a score, by why. */
  readonly missing: Readonly<Record<string, number>>;
  /** Scores by rule beside those of the judge; null where either is missing. */
  readonly rules: RuleAgreement | null;
}

/** How scores by rule go with those of the judge. */
export interface RuleAgreement {
  /** Questions with both. */
  readonly n: number;
  readonly meanRule: number;
  readonly meanJudge: number;
  /** Rank correlation; null where either does not vary. */
  readonly spearman: number | null;
  /** Share of questions where both say 100, or neither does. */
  readonly samePerfect: number;
}

/** Settings of {@link evaluateScores}. */
export interface EvaluateOptions {
  /** What becomes of questions without a score; default `exclude`. */
  readonly missing?: 'exclude' | 'zero' | undefined;
  /** Of the bootstrap; default 2,000. */
  readonly resamples?: number | undefined;
  readonly seed?: number | undefined;
}

const coverages = Object.keys(coverageNames) as Coverage[];

/** The score that counts as perfect. */
const perfect = 100;

/**
 * Scores of all groups that the benchmark reports: average score with its 95 % bootstrap interval,
 * perfect rate with Wilson's, which keeps its width where all answers are perfect or none is.
 *
 * Source: Loong, section 4.1: the average score is the mean of the judge's scores, the perfect rate
 * the share of them that are 100.
 * Deviation: questions without a score are left out and counted in their own group; the released
 * code divides their count by all questions, in every group.
 */
export function evaluateScores(
  scored: readonly ScoredRecord[],
  options: EvaluateOptions = {},
): Evaluation {
  const group = (name: string, keep: (one: ScoredRecord) => boolean) =>
    groupScores(name, scored.filter(keep), options);
  const namesOf = (of: (one: ScoredRecord) => string) => [...new Set(scored.map(of))].sort();
  const present = new Set(scored.map(({ record }) => subtaskOf(record)));
  const known = levels.filter((level) => scored.some(({ record }) => record.level === level));
  const sets = setsOf(scored.map(({ record }) => record));
  const missing: Record<string, number> = {};
  for (const { missing: why } of scored) if (why !== null) missing[why] = (missing[why] ?? 0) + 1;
  return {
    overall: groupScores('all', scored, options),
    byLevel: known.map((level) => group(taskNames[level], ({ record }) => record.level === level)),
    bySet: sets.map((set) => group(`set ${set}`, ({ record }) => record.set === set)),
    byLevelAndSet: known.map((level) =>
      sets.map((set) =>
        group(
          `${taskNames[level]}, set ${set}`,
          ({ record }) => record.level === level && record.set === set,
        ),
      ),
    ),
    bySubtask: subtasks
      .filter((subtask) => present.has(subtask))
      .map((subtask) => group(subtask, ({ record }) => subtaskOf(record) === subtask)),
    byDomain: namesOf(({ record }) => record.type).map((type) =>
      group(type, ({ record }) => record.type === type),
    ),
    byLanguage: namesOf(({ record }) => record.language).map((language) =>
      group(language, ({ record }) => record.language === language),
    ),
    byCoverage: coverages
      .filter((coverage) => scored.some((one) => one.coverage === coverage))
      .map((coverage) => group(coverageNames[coverage], (one) => one.coverage === coverage)),
    byPosition: positionScores(scored, options),
    truncation: sets.map((set) => truncationRate(set, scored)),
    missing,
    rules: ruleAgreement(scored),
  };
}

/** Average score and perfect rate of a group. */
export function groupScores(
  name: string,
  scored: readonly ScoredRecord[],
  options: EvaluateOptions = {},
): GroupScores {
  const known = scored.flatMap(({ score }) => (score === null ? [] : [score]));
  const missing = scored.length - known.length;
  const counted =
    options.missing === 'zero' ? [...known, ...Array.from({ length: missing }, () => 0)] : known;
  const facts = { name, n: scored.length, scored: known.length, missing };
  if (counted.length === 0) return { ...facts, averageScore: null, perfectRate: null };
  const marks = counted.filter((score) => score === perfect).length;
  return {
    ...facts,
    averageScore: estimate(counted, name, options),
    perfectRate: shareEstimate(marks, counted.length),
  };
}

function shareEstimate(count: number, n: number): Estimate {
  const { low, high } = wilson(count, n);
  return { value: count / n, low, high };
}

function estimate(
  values: readonly number[],
  name: string,
  { seed = 1, resamples = 2000 }: EvaluateOptions,
): Estimate {
  const random = createRandom(seed).fork('bootstrap').fork(name);
  const { estimate: value, low, high } = bootstrap(values, mean, { random, resamples });
  return { value, low, high };
}

function truncationRate(set: number, scored: readonly ScoredRecord[]): TruncationRate {
  const own = scored.flatMap(({ record, answer }) =>
    record.set === set && answer !== null ? [answer] : [],
  );
  const shares = own.map(({ docsDropped, docsUsed }) => {
    const all = docsDropped.length + docsUsed.length;
    return all === 0 ? 0 : docsDropped.length / all;
  });
  const n = own.length;
  const sum = shares.reduce((total, share) => total + share, 0);
  const cut = shares.filter((share) => share > 0).length;
  return { set, n, truncated: n === 0 ? 0 : cut / n, droppedShare: n === 0 ? 0 : sum / n };
}

const positionParts = 5;

/** Spotlight questions by where the one document with the evidence stood. */
function positionScores(
  scored: readonly ScoredRecord[],
  options: EvaluateOptions,
): PositionScores[] {
  const placed = scored.flatMap((one) => {
    const place = evidencePlace(one);
    return place === null ? [] : [{ one, place }];
  });
  return Array.from({ length: positionParts }, (_, part) => {
    const [from, to] = [part / positionParts, (part + 1) / positionParts];
    const own = placed
      .filter(({ place }) => place >= from && (place < to || part === positionParts - 1))
      .map(({ one }) => one);
    const name = `${(100 * from).toFixed(0)} to ${(100 * to).toFixed(0)} %`;
    return { ...groupScores(name, own, options), from, to };
  }).filter(({ n }) => n > 0);
}

/** Where the evidence stood, 0..1; null where it is not one document of the prompt. */
function evidencePlace({ record, answer }: ScoredRecord): number | null {
  if (record.level !== 1 || answer === null || answer.positions.length === 0) return null;
  const position = evidencePosition(record.doc, `${record.question} ${String(record.answer)}`);
  const at = position === null ? -1 : answer.positions.indexOf(position);
  return at < 0 ? null : (at + 0.5) / answer.positions.length;
}

function evidencePosition(names: readonly string[], text: string): number | null {
  const label = /《判决文书(\d+)》/.exec(text)?.[1];
  if (label !== undefined) return Number(label);
  const named = names.flatMap((name, index) => (text.includes(name) ? [index + 1] : []));
  return named.length === 1 ? named[0]! : null;
}

function ruleAgreement(scored: readonly ScoredRecord[]): RuleAgreement | null {
  const both = scored.flatMap(({ score, ruleScore, explanation }) =>
    score === null || ruleScore === null || explanation === '' ? [] : [{ score, ruleScore }],
  );
  if (both.length < 2) return null;
  const [judge, rule] = [both.map(({ score }) => score), both.map(({ ruleScore }) => ruleScore)];
  const varies = (values: readonly number[]) => new Set(values).size > 1;
  const same = both.filter((one) => (one.score === perfect) === (one.ruleScore === perfect));
  return {
    n: both.length,
    meanRule: mean(rule),
    meanJudge: mean(judge),
    spearman: varies(judge) && varies(rule) ? spearman(judge, rule) : null,
    samePerfect: same.length / both.length,
  };
}
