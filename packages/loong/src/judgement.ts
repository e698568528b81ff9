/**
 * What a judge says, and the score in it.
 */

/** Why a judgement has no score. */
export type ScoreProblem = 'no-score' | 'out-of-range';

/** A score from 0 to 100, or why there is none. */
export type ParsedScore =
  | { readonly score: number; readonly problem: null }
  | { readonly score: null; readonly problem: ScoreProblem };

/** A judgement as it is kept. */
export interface Judgement {
  /** 0..100; null where none could be read. */
  readonly score: number | null;
  readonly problem: ScoreProblem | null;
  readonly explanation: string;
  /** Times that the judge was asked; 0 where an empty answer gets 0 without any. */
  readonly requests: number;
}

const bracketed = /\[\[\s*([+-]?\d+(?:\.\d+)?)\s*\]\]/g;
const markup = '[\\s*_`#-]*';
const labels =
  '(?:(?:my|the|final|overall|total)\\s+)*(?:rating|score|grade|mark)|' +
  '(?:最终|总体|综合|总)?(?:评分|得分|分数|打分|评级)';
/** What stands before a score on its line: nothing, or a label that begins a line or a sentence. */
const labelBefore = new RegExp(
  `^${markup}$|` +
    `(?:^|[.!?;。！？；]\\s*|[,，]\\s*(?=my (?:final|overall)|最终))${markup}(?:${labels})${markup}` +
    `(?:[:：=]|is\\b|为|是){0,2}${markup}$`,
  'iu',
);
/** What may stand behind it on its line. */
const endBehind = /^[*_`]*(?:\s*\/\s*100|\s+out of 100|\s*分)?[\s*_`.。!！]*$/iu;
/** Behind a score these say that it is not the last word. */
const takenBack = new RegExp(
  '\\b(?:ignore|disregard|withdraw\\w*|mixed up|on (?:reflection|second thoughts?)|' +
    'correction|corrected|correcting|revis\\w+|reconsider\\w*|actually|wait|oops|sorry|' +
    'apolog\\w+|' +
    'my (?:mistake|error|typo|bad)|' +
    '(?:think|look|check|read)ing again|(?:add|deduct|subtract) (?:\\w+ ){0,2}points?|' +
    '(?:lower|rais|reduc|increas|chang|adjust|mak)\\w* (?:it|this|that)|' +
    'tak(?:e|ing) (?:it|this|that|the \\w+) back|not my (?:rating|grade|score)|' +
    'i (?:correct|change)|(?:rating|score|grade|it|that) (?:should|must) (?:be|have been)|' +
    '(?:is|was|seems) too (?:low|high|harsh|generous|strict|lenient))\\b|' +
    '^\\P{L}*(?:no|hmm+|oh|ah|er)\\s*[,.!…—-]|更正|修正|订正|收回|作废|改为|不对|抱歉|不算|重新|有误',
  'imu',
);
/** Behind a score these are another one, in whatever form. */
const laterScore = new RegExp(
  '\\[\\[|\\b(?:ratings?|rated?|scores?|scored|grades?|graded|marks?)\\b[^.\\n]{0,60}\\d|' +
    '\\b(?:giv(?:e|ing)|deserves?|merits?|earns?|award)\\b[^.\\n]{0,40}\\d|' +
    '\\d\\s*(?:/\\s*100\\b|out of 100\\b|分(?!钟))|(?:评分|得分|分数|打分|评级)[^。\\n]{0,30}\\d|' +
    '^(?:[^:：=\\n]{0,24}[:：=])?[\\s*_`#>-]*\\d{1,3}(?:\\.\\d+)?[\\s*_`.。]*$',
  'imu',
);
/** On the line above a score these say that it does not count. */
const disclaimed = new RegExp(
  '\\b(?:draft|placeholder|provisional|preliminary|tentative|not (?:my |the |a )?final|' +
    "(?:must|should|do|does)(?: not|n't) (?:be )?count(?:ed)?)\\b|不作为|不算|草稿|暂定",
  'iu',
);
/** Who gives a score, where there are several. */
const oneOfSeveral =
  /^\P{L}*(?:judge|grader|rater|evaluator|reviewer|assistant|answer|评委|评审)\s*(?:[a-z]|\d+)\b/iu;
/** A score as data. */
const dataScore = /["'](?:rating|score|grade)["']\s*:\s*["']?(\d+(?:\.\d+)?)/giu;
/** A line of nothing but markup: a rule or the edge of a block of code. */
const isBlank = (line: string): boolean => /^[\s*_`~#=-]*$/.test(line);
/** What may stand alone above a score: it is the whole one. */
const headingOfWhole = new RegExp(
  `^${markup}(?:\\d+[.)]\\s*)?(?:${labels})|` +
    `\\b(?:my|the|final|overall|total)\\s+(?:rating|score|grade|mark)${markup}[:：]?${markup}$|` +
    `^${markup}(?:\\d+[.)]\\s*)?(?:final|overall|total|conclusion|verdict|总分|结论|总评)` +
    `${markup}[:：]?${markup}$`,
  'iu',
);
/** Words of a heading at most, where nothing else marks it. */
const headingWords = 4;
const single = /\[\s*([+-]?\d+(?:\.\d+)?)\s*\]/;

/** Least and greatest score. */
export const scoreRange = { low: 0, high: 100 } as const;

/**
 * The score of a judgement in words: the last number in double square brackets, which must stand by
 * itself: alone on its line, or behind a label such as `Rating:`. Where the last one stands in
 * prose, e.g. as a word on the form, or under the heading of a part such as `## Accuracy`, there is
 * no score, whatever stands before it; nor where what follows takes it back or gives another one,
 * in whatever form, or it is outside 0..100 or between 0 and 1.
 *
 * Deviation: the released code takes the first `[[n]]`, else the first `[n]`, whatever its size;
 * `first` does the same, but refuses numbers outside the range.
 */
export function parseScore(text: string, which: 'anchored' | 'first' = 'anchored'): ParsedScore {
  const chosen = which === 'anchored' ? anchoredScore(text) : firstScore(text);
  if (chosen === undefined) return { score: null, problem: 'no-score' };
  const score = Number(chosen);
  const { low, high } = scoreRange;
  // Between 0 and 1 it is a share: of another scale than the one that was asked for.
  const isShare = score > low && score < 1;
  return score >= low && score <= high && !(isShare && which === 'anchored')
    ? { score, problem: null }
    : { score: null, problem: 'out-of-range' };
}

function firstScore(text: string): string | undefined {
  const [found] = text.matchAll(bracketed);
  return found?.[1] ?? single.exec(text)?.[1];
}

/** A judgement without what only adorns it: full-width forms, emoji, tags, bold within brackets. */
const plainText = (text: string): string =>
  text
    .normalize('NFKC')
    .replace(/[\p{Cf}\p{Extended_Pictographic}\u{FE0F}]/gu, '')
    .replace(/<\/?(?:p|b|i|u|em|br|div|span|strong)(?:\s[^<>]*)?\/?>/giu, '')
    .replace(/(?:\[\[|【【)[\s*_]*/gu, '[[')
    .replace(/[\s*_]*(?:\]\]|】】)/gu, ']]');

/** The last bracketed number, where it is no part of a sentence and not taken back behind. */
function anchoredScore(raw: string): string | undefined {
  const text = plainText(raw);
  const all = [...text.matchAll(bracketed)].map((found) => placeOf(text, found));
  const last = all.at(-1);
  if (last?.isAnchored !== true) return undefined;
  if (takenBack.test(last.rest) || laterScore.test(last.rest)) return undefined;
  if (last.isDisclaimed) return undefined;
  const others = all.slice(0, -1).filter(({ isAnchored }) => isAnchored);
  if (last.isOneOfSeveral && others.length > 0) return undefined;
  const asData = [...text.matchAll(dataScore)].map(([, value]) => Number(value));
  if (asData.some((value) => value !== Number(last.number))) return undefined;
  // A labelled score below a heading is one of parts only where another part has its own.
  const isPart = last.isUnderPart && (last.isBare || others.some(({ isUnderPart }) => isUnderPart));
  return isPart ? undefined : last.number;
}

/** A bracketed number and what stands around it. */
interface Place {
  readonly number: string;
  /** Alone on its line or behind a label. */
  readonly isAnchored: boolean;
  /** Without a label on its line. */
  readonly isBare: boolean;
  /** Whether the line above is the heading or label of a part. */
  readonly isUnderPart: boolean;
  /** Whether the line above says that it does not count. */
  readonly isDisclaimed: boolean;
  /** Whether its line names one of several judges, or of several answers. */
  readonly isOneOfSeveral: boolean;
  /** The lines below. */
  readonly rest: string;
}

function placeOf(text: string, found: RegExpExecArray): Place {
  const [whole, number = ''] = found;
  const start = text.slice(0, found.index).lastIndexOf('\n') + 1;
  const end = text.indexOf('\n', found.index);
  const before = text.slice(start, found.index);
  const behind = text.slice(found.index + whole.length, end < 0 ? text.length : end);
  const above = text
    .slice(0, start)
    .split('\n')
    .findLast((line) => !isBlank(line));
  return {
    number,
    isAnchored: labelBefore.test(before) && endBehind.test(behind),
    isBare: isBlank(before),
    isUnderPart: above !== undefined && isHeadingOfPart(above.trim()),
    isDisclaimed: above !== undefined && disclaimed.test(above),
    isOneOfSeveral: oneOfSeveral.test(before),
    rest: end < 0 ? '' : text.slice(end),
  };
}

/** Whether a line is a heading or label, and not one of the whole score. */
function isHeadingOfPart(line: string): boolean {
  if (headingOfWhole.test(line) || line.includes('[[') || line.startsWith('|')) return false;
  if (line.startsWith('#') || /^(\*\*|__)[^*_]+\1[:：]?$/.test(line)) return true;
  const bare = line.replace(/[\s*_`]+$/, '');
  if (/[:：]$/.test(bare)) return true;
  return !/[.!?。！？…]["”’)）]*$/.test(bare) && bare.split(/\s+/).length <= headingWords;
}
