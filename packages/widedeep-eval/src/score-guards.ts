/**
 * What speaks against scores that were found: words that take them back, and headings that say that
 * they are of a part only.
 */
import { cleanLine } from './score-lines.js';

/** Scores in the order of the assistants. */
export type ScorePair = readonly [score1: number, score2: number];

/** Whether a judge gives its reasons before the scores or after them. */
export type ReasonPlace = 'after' | 'before';

/** Behind the scores these say that they are not the last word. */
const secondThoughts = new RegExp(
  '\\b(?:correct(?:ion|ed|ing)|revis\\w+|chang\\w+|adjust\\w+|actually|wait|instead|typo|' +
    'mistake\\w*|swap\\w*|revers\\w*|mixed up|oops|sorry|apolog\\w+|should (?:be|have been)|' +
    'second thoughts?|reconsider\\w*|forget|disregard|ignore|discard\\w*|withdraw\\w*|cancel\\w*|' +
    'void|invalid|misread|wrong|confus\\w+|deserves?|(?:more|less|lower|higher) than|in truth|' +
    'too (?:low|high|harsh|generous|lenient|strict))\\b|' +
    '更正|应该是|应为|改为|作废|看反|弄反|исправ|ошиб|отмен|corrig|anul|desconsider',
  'iu',
);
const laterScore = /\b(?:score|rating|rated?)\w*\b[^.\n]{0,60}\d|\d\s*(?:\/\s*10\b|out of 10)/iu;

const scoreNoun = '(?:scores?|ratings?|grades?|marks?)';
/** In reasons that stand behind the scores, only this says that the scores are others. */
const rescoring = new RegExp(
  [
    `\\b(?:new|final|revised|corrected|adjusted|updated|correct) ${scoreNoun}\\b`,
    `\\b(?:the|my|these|those|both|two) (?:\\w+ )?${scoreNoun}\\b[^.\\n]{0,40}\\b(?:should|` +
      'instead|swap\\w*|revers\\w*|mixed up|switched|wrong|mistake\\w*|revis\\w+|chang\\w+|' +
      'correct(?:ed|ion))\\b',
    `\\b(?:swap\\w*|revers\\w*|switch\\w*|mixed up|confus\\w+) (?:the|my|both|these) ` +
      `(?:\\w+ )?(?:${scoreNoun}|assistants|columns|labels|order)\\b`,
    `\\bI (?:(?:would|will|now|must|should|have|had|want to) )*(?:chang|revis|correct|adjust|` +
      `lower|rais|tak|switch|swap|mean[t]?)\\w*\\b[^.\\n]{0,60}(?:\\b${scoreNoun}\\b|\\d)`,
    `\\b(?:forget|disregard|ignore|discard|withdraw|cancel) (?:the|my|these|those|both) ` +
      `(?:\\w+ )?(?:${scoreNoun}|numbers)\\b`,
    '(?:^|\\n)[\\s>*_#-]*(?:correction|wait|oops|sorry|erratum)\\b',
    '更正|作废|исправ|corrig|correção|corrección',
  ].join('|'),
  'iu',
);
const scoreInProse = new RegExp(
  `(?:\\b${scoreNoun} (?:of|is|as|at|to) (?:an? )?(?<named>\\d+(?:\\.\\d+)?)(?![\\d.]*\\d))|` +
    '(?<ofTen>\\d+(?:\\.\\d+)?)\\s*(?:\\/\\s*10\\b|out of 10)',
  'giu',
);

/** Who is said to win without reserve. */
const winnerPattern = new RegExp(
  '\\bassistant (?<winner>[12]) (?:is (?:overall better|better overall|' +
    'better in every (?:respect|way)|the (?:clear )?winner)|wins overall|clearly wins)\\b',
  'iu',
);

/** Where scores stand in an answer. */
export interface ScoredText {
  readonly text: string;
  /** What stands behind the scores. */
  readonly behind: string;
  readonly scores: ScorePair;
}

/** Why scores do not count although they can be read; null where nothing speaks against them. */
export function objectionTo(
  { text, behind, scores }: ScoredText,
  reasons: ReasonPlace,
): string | null {
  const isTakenBack =
    reasons === 'after'
      ? rescoring.test(behind) || givesOthers(behind, scores)
      : secondThoughts.test(behind) || laterScore.test(behind);
  if (isTakenBack) return 'scores taken back';
  const winner = winnerPattern.exec(text)?.groups?.['winner'];
  const difference = scores[0] - scores[1];
  const isAgainst = winner !== undefined && (winner === '1' ? -difference : difference) > 0;
  return isAgainst ? 'scores against what is said' : null;
}

/** Whether reasons name a score that is neither of the two. */
function givesOthers(reasons: string, scores: ScorePair): boolean {
  return [...reasons.matchAll(scoreInProse)].some(
    ({ groups }) => !scores.includes(Number(groups?.['named'] ?? groups?.['ofTen'])),
  );
}

/** These say that scores are of the whole. */
const ofAll = new RegExp(
  '\\b(?:final\\w*|overall|total|together|verdict|result|conclu\\w+|summary|decision|judge?ment|' +
    'combined|end|gesamt\\w*|urteil|ergebnis|fazit|geral|general|conclus\\w+|' +
    'resultado|résultat)\\b|最终|最終|总|總|総|综合|结论|結論|итог|вывод|النتيجة',
  'iu',
);
const revision = new RegExp(
  `${secondThoughts.source}|\\b(?:(?:on|after|upon) (?:further )?reflection|tak(?:e|ing) back|` +
    'withdraw\\w*|draft|re-?(?:read\\w*|check\\w*|assess\\w*|consider\\w*|evaluat\\w*|score\\w*|' +
    'thinking))\\b',
  'iu',
);

/** Whether text between two pairs of scores, or the lines of the last, makes it the last word. */
export function isLastWord(between: readonly string[], own: readonly string[]): boolean {
  const heading = between.findLast((line) => cleanLine(line) !== '') ?? '';
  return [heading, ...own].some((line) => ofAll.test(line)) || revision.test(between.join('\n'));
}

const small =
  '(?:the|my|here|are|is|and|so|these|your|both|their|our|resulting|numerical|corresponding|' +
  'assistants?|individual|valid|correct)';
const ofWhom =
  '(?!\\s+(?:for|of|on|in|by)\\s+(?!(?:the\\s+|both\\s+|each\\s+|two\\s+|a\\s+)*(?:assistants?|' +
  'answers?|responses?|scale)))';
/** Short headings that name no criterion. */
const neutral = new RegExp(
  `^(?:${small}\\s+)*(?:${scoreNoun}|scoring|points|evaluations?|assessments?|reviews?|answers?|` +
    `output|format|lines?)\\b${ofWhom}|^(?:so|thus|therefore|hence|then|now|accordingly|` +
    'as follows|in short|on reflection|in my (?:view|opinion)|on (?:balance|the whole)|' +
    `${small}(?:\\s+${small})*)$|` +
    'scale|得分|评分|分数|打分|评价|评估|スコア|評価|採点|点数|оцен|балл|pontua|avalia|nota|' +
    'puntua|calific|evaluac|bewertung|punkte|التقييم|درج',
  'iu',
);
const maxHeadingWords = 4;

/** These say of scores that follow that they are an example, or of a part. */
const onlyShown = new RegExp(
  '\\b(?:not|no|never|example|layout|template|illustrat\\w*|hypothetical\\w*|pretend|instance|' +
    'placeholders?|only|alone|solely|purely)\\b|不是|示例|пример|exemplo|ejemplo|beispiel',
  'iu',
);

/** The last sentence of a line without its markup. */
const lastSentence = (text: string): string => text.split(/[.!?。！？]\s*/u).at(-1) ?? '';

/** Whether the line above scores says that they are no verdict ("This is not my verdict:"). */
export function isExampleHeading(line: string): boolean {
  const text = cleanLine(line);
  return /[:：]$/u.test(text) && onlyShown.test(lastSentence(text));
}

/** A longer heading that speaks of a part ("In terms of the writing and its tone:"). */
const ofPart = /^(?:on|regarding|as for|concerning|in terms of|with (?:respect|regard) to)\b/iu;

/**
 * Whether the line above scores names a criterion ("Style:"), so that they are of a part only.
 *
 * @param angle - the criterion that the judge was asked about, which is no part to it.
 */
export function isPartHeading(line: string, angle: string | undefined): boolean {
  const isMarked = /^\s*(?:#+\s|\*\*[^*]+\*\*:?\s*$)/u.test(line);
  const text = cleanLine(line);
  if (!isMarked && !/[:：]$/u.test(text)) return false;
  const name = lastSentence(text)
    .replace(/\s*[:：]$/u, '')
    .trim();
  const isShort = name.split(/\s+/).length <= maxHeadingWords;
  if (name === '' || !(isShort || ofPart.test(name)) || /\d/u.test(name)) return false;
  if (ofAll.test(name) || revision.test(name) || neutral.test(name)) return false;
  return name.toLowerCase() !== angle?.toLowerCase();
}
