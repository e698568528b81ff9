/**
 * Labels and scores within one line of a judge's answer.
 */

/** An assistant and its score. */
export interface LabelledScore {
  /** Assistant 1 or 2, by position. */
  readonly label: 1 | 2;
  /** 1..10; null where a score was meant and none can be read. */
  readonly value: number | null;
  /** Whether nothing stands behind the label, so that the score may stand on the next line. */
  readonly isHeading: boolean;
  /** Whether the label says that a score follows. */
  readonly isScoreWord: boolean;
}

const assistants =
  'assistant|assistente|asistente|assistent|ассистент\\p{L}{0,2}|помощник\\p{L}{0,2}|助手|助理|' +
  'アシスタント|المساعد';
/** Of these a number may be the content as well as the score. */
const answers = 'response|answer|candidate|resposta|respuesta|ответ\\p{L}{0,2}|回答|答案';
const letters =
  'scores?|scoring|ratings?|grades?|marks?|points|pontuação|pontuacao|nota|puntuación|' +
  'puntuacion|calificación|calificacion|оценк\\p{L}|балл\\p{L}{0,2}';
const signs = '得分|评分|分数|打分';
const scoreWords = `(?:(?:${letters})(?!\\p{L})|${signs})`;
const smallLetters =
  'the|my|final|overall|total|verdict|evaluation|for|of|to|given|a|o|do|da|de|del|para|' +
  'итогов\\p{L}{2}|для|is|gets|receives|earns|recebe|recibe|получает';
const word = `(?:(?:${letters}|${smallLetters})(?!\\p{L})|${signs}|最终|给|的|为|是)`;
const between = `(?:'s|’s)?(?:\\s*\\([^()\\d]{0,60}\\))?(?:\\s*${word})*`;
const separator = '\\s*(?::|=|->|→|➡|\\||\\s[-–—]\\s)\\s*';

const labelPattern = new RegExp(
  `^(?<prefix>(?:${word}(?:\\s*:)?\\s*)*)(?:(?:${assistants})|(?<answer>${answers}))` +
    '\\s*(?:#|no\\.|number|№)?\\s*(?<label>[12])(?![\\d.,]*\\d)' +
    `(?<between>${between})(?:${separator}|(?<=为|是)\\s*|` +
    '(?<=[ ](?:is|gets|receives|earns|recebe|recibe|получает))\\s+|\\s*$)',
  'iu',
);

/**
 * A number from 1 to 10 with at most one decimal sign; what follows must not make it another
 * number. A comma is a decimal sign before a single digit.
 */
const number = '(?<value>10(?:[.,]0+)?|[1-9](?:\\.\\d+|,\\d)?)(?![\\d.,⁄½¼¾²³%]*[\\d⁄½¼¾²³%])';
const ofTen =
  '(?:\\s*\\(?\\s*(?:/|out\\s+of|of|из|de|von)\\s*10(?:\\.0)?(?![\\d.,]*\\d)\\s*\\)?)?' +
  '(?:\\s*(?:points?|pts?\\.?|分|点|балл\\p{L}{0,2}|pontos|puntos|punkte?)(?!\\p{L}))?';
const remark = '(?:\\s*\\((?<remark>[^()\\d]*)\\))?';
const scorePattern = new RegExp(`^${number}${ofTen}${remark}\\s*[.;。；,，!]?\\s*`, 'iu');
const joint = /^(?:[,;|/&，；、]|and\b|vs\.?|versus\b|[ey]\b|и(?!\p{L})|和)?\s*/iu;

/** Words by which a remark behind a score may put another one in its place. */
const otherwise = new RegExp(
  '\\b(?:one|two|three|four|five|six|seven|eight|nine|ten|instead|rather|should|would|could|may|' +
    'might|maybe|perhaps|not|or|between|if|minus|plus|negative|was|were)\\b',
  'iu',
);

/** What may stand where a score is meant and none can be read. */
const meantScore = /^(?:[-+~≈<>[(]*\s*\p{N}|[-+<[(?]|n\/?a\b|none\b|null\b|unknown\b)/iu;

const arabicZero = 0x660;

/** The line without markup and invisible characters, in half-width characters. */
export function cleanLine(line: string): string {
  return (
    line
      .replace(/[\uff01-\uff5e]/gu, (sign) => String.fromCharCode(sign.charCodeAt(0) - 0xfee0))
      .replace(/[\u0660-\u0669]/gu, (digit) => `${digit.charCodeAt(0) - arabicZero}`)
      .replace(/🔟/gu, '10')
      .replace(/\p{Cf}|\ufe0f|\u20e3/gu, '')
      .replace(/[\u00a0\u3000\t]/gu, ' ')
      .replace(/\\(?:boxed|text(?:bf)?|mathbf)\{|[*`"“”「」{}]|\\?\$/gu, '')
      .replace(/_/gu, ' ')
      // Brackets of the form that was asked for, kept around the number.
      .replace(/(?:<(\d+(?:[.,]\d+)?)>|\[(\d+(?:[.,]\d+)?)\])/gu, '$1$2')
      .replace(/^(?:[\s>#|[,•·]|-(?=\s))+|[\s|\],]+$/gu, '')
      .replace(/^\d{1,2}[.)]\s+(?=\D)/u, '')
      .trim()
  );
}

const pairLabel = new RegExp(
  `^(?:${word}\\s*)*(?:scores|ratings|得分|评分|分数)\\s*[:=]?\\s*`,
  'iu',
);
const gap = /^(?:\s*(?:[,;|/&]|and|vs\.?|to|和)\s*|\s+)/iu;
/** Behind a pair a remark may say how sure the judge is. */
const sureness = /^\s*(?:\((?:[^()\d]|\d+\s*%)*\))?\s*[.!]?$/u;

/** The scores of a line such as `Scores: 7 4`, first and second; null where it is none. */
export function scorePair(line: string): readonly [number | null, number | null] | null {
  const label = pairLabel.exec(line);
  if (label === null) return null;
  const first = plainNumber.exec(line.slice(label[0].length));
  if (first === null) return null;
  const behind = line.slice(label[0].length + first[0].length);
  const between = gap.exec(behind);
  const second = between === null ? null : plainNumber.exec(behind.slice(between[0].length));
  if (between === null || second === null) return [null, null];
  const rest = behind.slice(between[0].length + second[0].length);
  if (!sureness.test(rest)) return [null, null];
  return [inScale(first[0]), inScale(second[0])];
}

const plainNumber = /^-?\d+(?:\.\d+)?(?:\s*\/\s*10(?!\d))?(?![\d.,%/½-]*[\d%/½-])/u;

function inScale(text: string): number | null {
  const value = Number(text.replace(/\s*\/.*/, ''));
  return value >= 1 && value <= 10 ? value : null;
}

/** The score that a line holds and nothing else; undefined where it is none. */
export function pureScore(line: string): number | undefined {
  const found = scorePattern.exec(line);
  if (found === null || found[0].length < line.length) return undefined;
  return scoreOf(found) ?? undefined;
}

/**
 * The assistants that a line gives scores to: one, or both. A line of which a part is neither label
 * nor score gives none, but says for whom a score was meant.
 */
export function labelledScores(line: string): LabelledScore[] {
  const found: LabelledScore[] = [];
  let rest = line;
  while (rest !== '') {
    const label = labelPattern.exec(rest);
    // Prose behind a score: it may say more than the score does.
    if (label === null) return withoutValues(found);
    const isScoreWord = saysScore(label);
    // "Answer 1: 42" may be what was answered.
    if (label.groups?.['answer'] !== undefined && !isScoreWord) return withoutValues(found);
    const behind = rest.slice(label[0].length);
    const score = scorePattern.exec(behind);
    const isHeading = behind === '';
    const entry = { label: Number(label.groups?.['label']) as 1 | 2, isHeading, isScoreWord };
    if (score === null) {
      const isMeant = isHeading || isScoreWord || meantScore.test(behind) || found.length > 0;
      return isMeant ? [...withoutValues(found), { ...entry, value: null }] : [];
    }
    found.push({ ...entry, value: scoreOf(score) });
    rest = behind.slice(score[0].length).replace(joint, '');
  }
  return found.length > 2 ? withoutValues(found) : found;
}

const withoutValues = (scores: readonly LabelledScore[]): LabelledScore[] =>
  scores.map((score) => ({ ...score, value: null }));

const scoreWordPattern = new RegExp(scoreWords, 'iu');

function saysScore({ groups }: RegExpExecArray): boolean {
  return scoreWordPattern.test(`${groups?.['prefix']} ${groups?.['between']}`);
}

function scoreOf({ groups }: RegExpExecArray): number | null {
  const value = Number(groups?.['value']?.replace(',', '.'));
  if (groups?.['remark'] !== undefined && otherwise.test(groups['remark'])) return null;
  return value >= 1 && value <= 10 ? value : null;
}
