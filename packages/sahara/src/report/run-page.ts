/**
 * The page of a run, whatever it holds: scores, a search, responses, patterns.
 */
import { join } from 'node:path';
import { canonicalJson, formatDuration, type RunRecord, resolveConfig } from '@lab/core';
import {
  type CaptionedFigure,
  type RunPage,
  type Section,
  type SettingRow,
  writeRunPage,
} from '@lab/report';
import { saharaConfig } from '../config.js';
import { attentionPatterns } from '../figures/pattern-figures.js';
import { scoreMap } from '../figures/score-figures.js';
import { overRefusalBars } from '../figures/utility-figures.js';
import { headKey, type HeadId } from '../head.js';
import { overRefusal } from '../over-refusal.js';
import type { PaperModel } from '../published.js';
import { version } from '../version.js';
import { publishedSections } from './published-sections.js';
import { readRunContents, type RunContents } from './run-contents.js';
import { modelName } from './run-facts.js';
import {
  type ChangedParts,
  evaluateArms,
  responseExamples,
  responseSections,
  responseWarnings,
  successFigure,
  successNumbers,
  successSentence,
} from './response-sections.js';
import {
  scoreNumbers,
  scoreSections,
  scoreSentence,
  searchNumbers,
  searchSection,
  searchSentence,
} from './score-sections.js';
import { categorySections, harmlessSections, stabilitySections } from './stability-sections.js';

/**
 * Writes `report.html` into the folder of a run.
 *
 * @returns its path.
 * @throws {DataError} for a folder that is no run, and when the page cannot be written.
 */
export function writeReport(dir: string): string {
  const path = join(dir, 'report.html');
  writeRunPage(path, runPage(readRunContents(dir)));
  return path;
}

/**
 * The page of a run, for `writeRunPage`.
 *
 * @param published - model of the paper to compare with; default that of its folder's name.
 */
export function runPage(contents: RunContents, published: PaperModel | null = null): RunPage {
  const { record } = contents;
  const parts = partsOf(contents, published);
  const { start, end } = record;
  const seconds = end === null ? null : (Date.parse(end) - Date.parse(start)) / 1000;
  const count = contents.scores?.data.promptCount ?? promptCount(contents);
  return {
    title: parts.title,
    eyebrow: `sahara ${record.label} of ${start.slice(0, 10)}, ${modelName(record)}`,
    sentence: parts.sentence,
    numbers: parts.numbers,
    ...(parts.main === undefined ? {} : { mainFigure: parts.main }),
    sections: [...parts.sections, ...patternSections(contents)],
    ...(parts.examples === undefined ? {} : { examples: parts.examples }),
    cost: [
      ...(seconds === null ? [] : [{ label: 'time', value: formatDuration(seconds) }]),
      { label: 'prompts', value: String(count) },
    ],
    settings: settingRows(record),
    files: record.data,
    command: record.command.length === 0 ? 'started by a program' : record.command.join(' '),
    environment: [
      { label: 'package', value: `@lab/sahara ${version}` },
      { label: 'Node', value: String(record.environment['node'] ?? '') },
      { label: 'model', value: modelFingerprint(record) },
    ],
    warnings: [
      ...(record.status === 'success' ? [] : [`The run ended as: ${record.status}.`]),
      ...parts.warnings,
    ],
  };
}

interface PageParts extends Pick<RunPage, 'examples' | 'numbers' | 'sentence' | 'title'> {
  readonly main?: CaptionedFigure;
  readonly sections: readonly Section[];
  readonly warnings: readonly string[];
}

function partsOf(contents: RunContents, published: PaperModel | null): PageParts {
  const found = [
    ...(contents.responses.length > 0 ? [responseParts(contents, published)] : []),
    ...(contents.steps.length > 0 ? [searchParts(contents)] : []),
    ...(contents.steps.length === 0 && contents.scores !== null ? [scoreParts(contents)] : []),
  ];
  const [first, ...others] = found.length > 0 ? found : [emptyParts(contents)];
  return {
    ...first!,
    sections: [
      ...first!.sections,
      ...others.flatMap(({ main, sections, sentence }) => [
        ...(main === undefined ? [] : [{ heading: 'Scores', text: sentence, figures: [main] }]),
        ...sections,
      ]),
    ],
    warnings: found.flatMap(({ warnings }) => warnings),
  };
}

function emptyParts({ patterns, record }: RunContents): PageParts {
  const empty = { numbers: [], sections: [], warnings: [] };
  if (patterns === null) {
    const sentence = `The run ended as ${record.status} before anything was scored.`;
    return { title: 'A run without results', sentence, ...empty };
  }
  const title = `Where head ${headKey(patterns.head)} looks`;
  return { title, sentence: 'Attention of one head, before and after.', ...empty };
}

function scoreParts({ scores, record, promptScores, harmlessScores }: RunContents): PageParts {
  const file = scores!;
  return {
    title:
      file.kind === 'probe-heads'
        ? 'Heads from which refusals can be read'
        : 'Heads that carry refusals',
    sentence: scoreSentence(file),
    numbers: scoreNumbers(file),
    main: scoreMap(file),
    sections: [
      ...scoreSections(file, modelName(record)),
      ...stabilitySections(promptScores, record.seed),
      ...categorySections(promptScores),
      ...harmlessSections(file, harmlessScores),
    ],
    warnings: tieWarnings(file.ties),
  };
}

function searchParts({ scores, steps, record }: RunContents): PageParts {
  const first = scores ?? steps[0]!;
  const ties = steps.flatMap((step) => step.ties);
  // Other scores may lie beside a search.
  const isFirst = first.unit === steps[0]!.unit;
  return {
    title: 'A group of heads that carries refusals',
    sentence: searchSentence(steps),
    numbers: searchNumbers(steps),
    main: scoreMap(first, isFirst ? { title: 'Every head alone: the first step' } : {}),
    sections: [searchSection(steps), ...scoreSections(first, modelName(record))],
    warnings: [...tieWarnings(ties), ...gapWarnings(first.subspace?.gap)],
  };
}

const SHOWN_TIES = 6;

function tieWarnings(ties: readonly (readonly HeadId[])[]): string[] {
  return ties
    .slice(0, SHOWN_TIES)
    .map(
      (heads) =>
        `${heads.map(headKey).join(', ')} have one score; the smallest (layer, head) goes first.`,
    );
}

function gapWarnings(gap: number | undefined): string[] {
  return gap !== undefined && gap < 0.01
    ? ['The next singular value is as large as the last one used: the subspace is hardly defined.']
    : [];
}

function responseParts(contents: RunContents, published: PaperModel | null): PageParts {
  const { responses, harmless, record } = contents;
  const evaluated = evaluateArms(responses, record.seed);
  const { ablated, intact } = evaluated;
  const heads = ablatedHeads(record);
  const parts: ChangedParts = record.label === 'neurons' ? 'neurons' : 'heads';
  const shown = ablated ?? intact;
  const examples = shown === undefined ? [] : responseExamples(responses, shown.arm);
  return {
    title: titleOf(heads),
    sentence: successSentence(evaluated, parts),
    numbers: successNumbers(evaluated, parts),
    main: successFigure(evaluated, 'all prompts'),
    sections: [
      ...responseSections(evaluated, parts === 'heads' ? Math.max(1, heads.length) : null),
      ...(harmless.length === 0 ? [] : [overRefusalSection(harmless)]),
      ...publishedSections([{ name: 'this run', contents, evaluated }], published),
    ],
    ...(examples.length === 0 ? {} : { examples: { text: storedWords, items: examples } }),
    warnings: responseWarnings(evaluated),
  };
}

const storedWords = 'Kept by --store-responses. “Wrong” means that the response complied.';

function titleOf(heads: readonly HeadId[]): string {
  if (heads.length === 0) return 'Responses';
  return `Without ${heads.length === 1 ? 'head' : 'heads'} ${heads.map(headKey).join(', ')}`;
}

function overRefusalSection(harmless: RunContents['harmless']): Section {
  const shares = overRefusal(harmless)
    .filter(({ arm }) => !arm.startsWith('random-'))
    .map(({ arm, refused }) => ({ name: arm, ...refused }));
  return {
    heading: 'Harmless prompts',
    text: 'Heads that also decide over harmless prompts carry more than refusals of harm.',
    figures: [overRefusalBars(shares)],
  };
}

function patternSections({ patterns }: RunContents): Section[] {
  if (patterns === null) return [];
  const several = new Set(patterns.patterns.map(({ prompt }) => prompt)).size > 1;
  const named = patterns.patterns.map(({ name, prompt, pattern }) => ({
    ...{ name: several ? `${name}, prompt ${prompt}` : name, pattern },
  }));
  const columns = patterns.grid === 'before-after' ? 2 : 3;
  return [
    {
      heading: 'Attention',
      figures: [attentionPatterns(named, { head: headKey(patterns.head), columns })],
    },
  ];
}

const promptCount = ({ responses }: RunContents): number =>
  new Set(responses.map(({ id }) => id)).size;

function modelFingerprint(record: RunRecord): string {
  const { model } = (record.environment['model'] ?? {}) as { readonly model?: unknown };
  const name = modelName(record);
  return typeof model === 'string' ? `${name}, ${model.slice(0, 16)}` : name;
}

function ablatedHeads(record: RunRecord): HeadId[] {
  const { heads } = (record.config.resolved ?? {}) as { readonly heads?: readonly HeadId[] };
  return [...(heads ?? [])];
}

/** Settings of a run as rows: those of the config by path, of other verbs as they were kept. */
function settingRows(record: RunRecord): SettingRow[] {
  const resolved = leavesOf(record.config.resolved);
  const { origins } = record.config;
  const defaults = new Map(leavesOf(resolveConfig(saharaConfig, {}).config));
  return resolved.map(([path, value]) => {
    const isDefault = defaults.has(path)
      ? canonicalJson(defaults.get(path) ?? null) === canonicalJson(value ?? null)
      : false;
    return { path, value, origin: origins[path] ?? (isDefault ? 'default' : 'set') };
  });
}

function leavesOf(value: unknown, path = ''): (readonly [string, unknown])[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [[path, value]];
  return Object.entries(value).flatMap(([name, leaf]) =>
    leavesOf(leaf, path === '' ? name : `${path}.${name}`),
  );
}
