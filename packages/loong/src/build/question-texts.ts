/**
 * The words of made questions, in both languages; the wording is our own.
 */
import type { Construction } from './operations.js';

/** A question in words. */
export interface QuestionTexts {
  readonly instruction: string;
  readonly question: string;
}

/** Where documents, instruction and question stand in a made question. */
export const builtTemplate = '{docs}\n\n{instruction}\n\n{question}';

/** What every made question begins with. */
export const instructions = {
  en:
    'Answer from the documents above alone. Each begins with its title in 《》; call documents by ' +
    'their titles, without the marks.',
  zh: '请仅根据以上文档回答。每篇文档以《》中的标题开头；请用标题（不带书名号）称呼文档。',
};

/** Names of the three classes of a grouping by numbers. */
export const classNames = { en: ['low', 'medium', 'high'], zh: ['低', '中', '高'] } as const;

type Words = (construction: Construction) => string;

const withUnit = (value: number | string, unit: string): string =>
  unit === '' ? String(value) : `${value} ${unit}`;

const english: Readonly<Record<Construction['operation'], Words>> = {
  which: ({ attribute, wanted, unit }) =>
    `In which document is "${attribute}" ${withUnit(wanted!, unit)}? Give the titles of all such ` +
    'documents as a JSON list.',
  highest: ({ attribute }) =>
    `Which document has the highest "${attribute}"? Give its title in a JSON list.`,
  lowest: ({ attribute }) =>
    `Which document has the lowest "${attribute}"? Give its title in a JSON list.`,
  list: ({ attribute, unit }) =>
    `Please list the "${attribute}" of every document${unit === '' ? '' : ` (${unit})`}. Give a ` +
    'JSON object with titles as keys and values as they are printed, numbers without separators.',
  'at-least': ({ attribute, limits, unit }) =>
    `Which documents have a "${attribute}" of ${withUnit(limits![0]!, unit)} or more? Give their ` +
    'titles as a JSON list.',
  group: ({ attribute, limits, classes, unit }) =>
    limits === undefined
      ? `Group the documents by their "${attribute}". Give a JSON object whose keys are the ` +
        'values and whose values are lists of titles.'
      : `Group the documents by "${attribute}": ${classes![0]} (below ` +
        `${withUnit(limits[0]!, unit)}), ${classes![1]} (from there to below ` +
        `${withUnit(limits[1]!, unit)}), ${classes![2]} (${withUnit(limits[1]!, unit)} or more). ` +
        'Give a JSON object whose keys are these three and whose values are lists of titles.',
  order: ({ attribute }) =>
    `Put all documents in the order of their "${attribute}", the lowest first. Give their titles ` +
    'as a JSON list.',
  trend: ({ attribute, periods }) =>
    `How does "${attribute}" develop from ${ends(periods).join(' to ')}? Give a JSON object with ` +
    'the value of every period (keys: the periods; numbers without separators) and "trend": ' +
    '"rising", "falling", "constant" or "mixed".',
};

const chinese: Readonly<Record<Construction['operation'], Words>> = {
  which: ({ attribute, wanted, unit }) =>
    `哪些文档的“${attribute}”为${withUnit(wanted!, unit)}？请以 JSON 列表给出所有符合的文档标题。`,
  highest: ({ attribute }) => `“${attribute}”最高的是哪一篇文档？请以 JSON 列表给出其标题。`,
  lowest: ({ attribute }) => `“${attribute}”最低的是哪一篇文档？请以 JSON 列表给出其标题。`,
  list: ({ attribute, unit }) =>
    `请列举上述每篇文档的“${attribute}”${unit === '' ? '' : `（${unit}）`}。请给出 JSON 对象，` +
    '键为文档标题，值与文中一致，数字不带千位分隔符。',
  'at-least': ({ attribute, limits, unit }) =>
    `哪些文档的“${attribute}”不低于${withUnit(limits![0]!, unit)}？请以 JSON 列表给出其标题。`,
  group: ({ attribute, limits, classes, unit }) =>
    limits === undefined
      ? `请按“${attribute}”对文档分组。请给出 JSON 对象，键为取值，值为标题列表。`
      : `请按“${attribute}”对文档分组：${classes![0]}（低于${withUnit(limits[0]!, unit)}），` +
        `${classes![1]}（不低于${withUnit(limits[0]!, unit)}且低于` +
        `${withUnit(limits[1]!, unit)}），${classes![2]}（不低于${withUnit(limits[1]!, unit)}）。` +
        '请给出 JSON 对象，键为这三组，值为标题列表。',
  order: ({ attribute }) => `请将所有文档按“${attribute}”从低到高排序，以 JSON 列表给出标题。`,
  trend: ({ attribute, periods }) =>
    `从${ends(periods).join('到')}，“${attribute}”如何变化？请给出 JSON 对象，包含每个时期的值` +
    '（键为时期，数字不带千位分隔符）以及 "trend"："rising"（上升）、"falling"（下降）、' +
    '"constant"（不变）或 "mixed"（有升有降）。',
};

function ends(periods: Construction['periods']): string[] {
  const all = Object.values(periods ?? {}).sort();
  return [all[0] ?? '', all.at(-1) ?? ''];
}

/** A question in words. */
export function questionTexts(construction: Construction, language: 'en' | 'zh'): QuestionTexts {
  const words = language === 'en' ? english : chinese;
  return {
    instruction: instructions[language],
    question: words[construction.operation](construction),
  };
}
