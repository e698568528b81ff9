/**
 * What a page says about head scores and about a search for a group.
 */
import {
  barPlot,
  type BigNumber,
  type CaptionedFigure,
  type Section,
  type Table,
} from '@lab/report';
import { formatCounted, formatPercent } from '@lab/core';
import { headKey, type HeadId, rankHeads, type ScoredHead } from '../head.js';
import type { ScoreFile } from '../score-file.js';
import { searchGain, searchSteps } from '../figures/score-comparison-figures.js';
import {
  scoreByLayer,
  scoreDensity,
  scoreDistribution,
  scoreTail,
  scoreText,
} from '../figures/score-figures.js';
import { backupSentences, pickedHeads } from './backup-heads.js';
import { scoreConcentration } from './concentration.js';

/** A step of Sahara in a file: its group is known. */
export interface StepFile extends ScoreFile {
  group: HeadId[];
}

/** Heads in the table of the best. */
const SHOWN_HEADS = 20;

/** One sentence: which head, how much, and how far ahead of the next. */
export function scoreSentence(file: ScoreFile): string {
  const [first, second] = rankHeads(file.scores);
  if (first === undefined || !(first.score > 0))
    return 'No head of this model moves anything here.';
  const prompts = formatCounted(file.data.promptCount, 'prompt');
  const other = unablatedSentence(file, first);
  if (other !== null) return other;
  const what =
    file.unit === 'nats'
      ? `the next token of ${prompts} moves by ${first.score.toPrecision(3)} nats on average`
      : `the subspace of ${prompts} turns by ${first.score.toPrecision(3)} ${file.unit}`;
  if (second === undefined || !(second.score > 0)) return `Without head ${headKey(first)} ${what}.`;
  const times = (first.score / second.score).toPrecision(2);
  const next = headKey(second);
  return `Without head ${headKey(first)} ${what}, ${times} times as far as without ${next}.`;
}

/** The sentence of scores that no ablation made; null of others. */
function unablatedSentence({ kind }: ScoreFile, { score, ...head }: ScoredHead): string | null {
  const [name, size] = [headKey(head), score.toPrecision(3)];
  switch (kind) {
    case 'probe-heads':
      return `Head ${name} tells the two sets of prompts apart in ${formatPercent(score)}.`;
    case 'refusal-direction':
      return `Head ${name} writes ${size} more along the refusal direction on harmful prompts.`;
    case 'refusal-logits':
      return `Head ${name} by itself adds ${size} to the logit of a refusal over an answer.`;
    default:
      return null;
  }
}

/** The numbers that matter of a scan. */
export function scoreNumbers(file: ScoreFile): BigNumber[] {
  const [first] = rankHeads(file.scores);
  const concentration = scoreConcentration(file.scores);
  if (first === undefined || concentration === null) return [];
  const { gini, headsForHalf, headCount } = concentration;
  return [
    {
      label: 'First head',
      value: headKey(first),
      interval: scoreText(first.score, file.unit),
      reference: `of ${headCount} heads`,
    },
    {
      label: 'Heads for half of it',
      value: String(headsForHalf),
      interval: `hold half of the summed score`,
      reference: `by chance ${Math.ceil(headCount / 2)}`,
    },
    {
      label: 'Concentration',
      value: gini,
      interval: 'Gini coefficient over heads',
      reference: '0: all alike, 1: one head has all',
    },
  ];
}

/** Sections of a scan: tail, layers, best heads, heads by prompt, distribution. */
export function scoreSections(file: ScoreFile, name: string): Section[] {
  const named = { ...file, name };
  const perPrompt = promptSection(file);
  return [
    {
      heading: 'Heads',
      figures: [scoreTail(file), scoreByLayer(file)],
      table: headTable(file),
    },
    ...(perPrompt === null ? [] : [perPrompt]),
    {
      heading: 'Distribution',
      figures: [scoreDistribution([named]), scoreDensity([named])],
    },
  ];
}

function headTable(file: ScoreFile): Table {
  const ranked = rankHeads(file.scores);
  const sum = ranked.reduce((total, { score }) => total + Math.max(0, score), 0);
  return {
    caption: `The ${Math.min(SHOWN_HEADS, ranked.length)} best heads`,
    columns: [
      { key: 'rank', label: 'Rank', kind: 'count' },
      { key: 'name', label: 'Head', kind: 'code' },
      { key: 'score', label: `Score (${file.unit})`, kind: 'number' },
      { key: 'share', label: 'Of all scores', kind: 'percent' },
    ],
    rows: ranked.slice(0, SHOWN_HEADS).map((head, index) => ({
      ...{ rank: index + 1, name: headKey(head), score: head.score },
      share: sum > 0 ? Math.max(0, head.score) / sum : 0,
    })),
  };
}

/** How often which head is the best of a prompt; null where prompts were not kept apart. */
function promptSection({ prompts, unit }: ScoreFile): Section | null {
  if (prompts === undefined || prompts.length === 0) return null;
  const counts = new Map<string, number>();
  for (const { top } of prompts) {
    const first = top[0];
    if (first === undefined) continue;
    const name = headKey(first);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const sorted = [...counts].sort(([, a], [, b]) => b - a);
  return {
    heading: 'Prompt by prompt',
    text:
      'Every prompt has a ranking of its own. Ablating “the first head per query” takes out ' +
      'another head for each prompt; scores were measured one head at a time.',
    figures: [firstHeads(sorted, prompts.length)],
    table: promptTable(prompts, unit),
  };
}

const SHOWN_BARS = 12;

function firstHeads(sorted: readonly (readonly [string, number])[], n: number): CaptionedFigure {
  const rest = sorted.slice(SHOWN_BARS).reduce((sum, [, count]) => sum + count, 0);
  const bars = sorted.slice(0, SHOWN_BARS).map(([label, value]) => ({ label, value }));
  return {
    figure: barPlot({
      title: 'The first head of each prompt',
      value: { label: 'prompts' },
      bars: rest > 0 ? [...bars, { label: 'other heads', value: rest }] : bars,
    }),
    caption: `${sorted.length} different heads come first over ${formatCounted(n, 'prompt')}.`,
  };
}

function promptTable(prompts: NonNullable<ScoreFile['prompts']>, unit: string): Table {
  const nameOf = (head: ScoredHead) => `${headKey(head)} (${head.score.toPrecision(3)})`;
  return {
    caption: `Best heads of each prompt, in ${unit}`,
    columns: [
      { key: 'id', label: 'Prompt', kind: 'code' },
      { key: 'first', label: 'First' },
      { key: 'second', label: 'Second' },
      { key: 'third', label: 'Third' },
    ],
    rows: prompts.map(({ id, top }) => ({
      id,
      ...Object.fromEntries(
        (['first', 'second', 'third'] as const).map((key, at) => [
          key,
          top[at] === undefined ? '' : nameOf(top[at]),
        ]),
      ),
    })),
    pageRows: 25,
  };
}

/** One sentence about a search. */
export function searchSentence(steps: readonly StepFile[]): string {
  const picks = pickedHeads(steps);
  const last = picks.at(-1);
  if (last === undefined) return 'The search has not picked a head yet.';
  const { unit, data } = steps[0]!;
  const names = picks.map(({ name }) => name).join(', ');
  return (
    `The group ${names} turns the subspace of ${formatCounted(data.promptCount, 'prompt')} by ` +
    `${last.group.toPrecision(3)} ${unit}, the first head alone by ` +
    `${picks[0]!.group.toPrecision(3)}.`
  );
}

/** The section of a search: steps, gain, picks, and what single heads do not show. */
export function searchSection(steps: readonly StepFile[]): Section {
  const picks = pickedHeads(steps);
  const { unit } = steps[0]!;
  const backups = backupSentences(picks, unit);
  const none =
    picks.length > 1
      ? 'No pick adds far more than it does alone: a scan of single heads sees the same heads.'
      : undefined;
  const text = backups.length > 0 ? backups.join(' ') : none;
  return {
    heading: 'The search',
    ...(text === undefined ? {} : { text }),
    figures: [searchSteps(steps), searchGain(steps)],
    table: {
      caption: `Picks in their order, in ${unit}`,
      columns: [
        { key: 'name', label: 'Head', kind: 'code' },
        { key: 'alone', label: 'Alone', kind: 'number', decimals: 2 },
        { key: 'rankAlone', label: 'Rank alone', kind: 'count' },
        { key: 'gain', label: 'Added', kind: 'number', decimals: 2 },
        { key: 'group', label: 'Group', kind: 'number', decimals: 2 },
        { key: 'remark', label: 'Remark' },
      ],
      rows: picks.map(({ name, alone, rankAlone, gain, group, isBackup }) => ({
        ...{ name, alone, rankAlone, gain, group },
        remark: isBackup ? 'stands in for an earlier pick' : '',
      })),
    },
  };
}

/** The numbers that matter of a search. */
export function searchNumbers(steps: readonly StepFile[]): BigNumber[] {
  const picks = pickedHeads(steps);
  const [first, last] = [picks[0], picks.at(-1)];
  if (first === undefined || last === undefined) return [];
  const { unit } = steps[0]!;
  const backups = picks.filter(({ isBackup }) => isBackup).map(({ name }) => name);
  return [
    {
      label: 'Group',
      value: picks.map(({ name }) => name).join(' '),
      interval: `${last.group.toPrecision(3)} ${unit}`,
      reference: `of ${rankHeads(steps[0]!.scores).length} heads`,
    },
    {
      label: 'First head alone',
      value: first.group.toPrecision(3),
      interval: unit,
      reference: `head ${first.name}`,
    },
    {
      label: 'Stand-ins',
      value: String(backups.length),
      interval: backups.length === 0 ? 'none was found' : `head ${backups.join(', ')}`,
      reference: 'heads that matter only once another is gone',
    },
  ];
}
