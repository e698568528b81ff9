/**
 * What judges are told, in the language of the question. The wording is our own.
 */

/** A judge's prompt with the slots `question`, `gold` and `answer`. */
export const judgePrompts: Readonly<Record<'en' | 'zh', string>> = {
  en: `You grade an answer to a question about several documents. You do not see the documents; the
reference answer below is correct and complete.

Grade two things together:
1. Accuracy: the answer means the same as the reference. Numbers, names and their order agree, and
   nothing is invented.
2. Completeness: every key point of the reference is there. Explanations that go further are not
   needed.

An answer that agrees with the reference in every point gets 100, one that shares nothing with it 0.

{{question|block}}

{{gold|block}}

{{answer|block}}

First explain your grade in at most 100 words. Then end with one line that holds the grade, a whole
number from 0 to 100, in double square brackets, like this:
Rating: [[GRADE]]`,
  zh: `请你为一个针对多篇文档的问题的回答打分。你看不到这些文档；下面的参考答案是正确且完整的。

请同时考虑两点：
1. 准确性：回答与参考答案意思一致，数字、名称及其顺序完全相符，没有编造的内容。
2. 完整性：参考答案中的每个要点都已给出，不要求额外的说明。

与参考答案完全一致的回答得 100 分，与其毫无相同之处的回答得 0 分。

{{question|block}}

{{gold|block}}

{{answer|block}}

请先用不超过 100 个字说明理由，最后另起一行，把 0 到 100 之间的整数分数写在双方括号中，格式如下：
评分：[[分数]]`,
};

/** What is asked when a judgement has no score. */
export const scoreReminders: Readonly<Record<'en' | 'zh', string>> = {
  en:
    'Your reply holds no grade that can be read. Reply with one line alone: "Rating: " and a ' +
    'whole number from 0 to 100 in double square brackets.',
  zh: '你的回复中没有可以读取的分数。请只回复一行：“评分：”以及写在双方括号中的 0 到 100 之间的整数。',
};

/** How a judge that answers as data is told the form, after the prompt. */
export const jsonForm: Readonly<Record<'en' | 'zh', string>> = {
  en: 'Reply with data: "explanation", then "score", a whole number from 0 to 100.',
  zh: '请以数据形式回复：先是 "explanation"（理由），然后是 "score"（0 到 100 之间的整数）。',
};

/** What is asked when such a judge's reply is no data of the form. */
export const jsonReminders: Readonly<Record<'en' | 'zh', string>> = {
  en: 'Your reply is cut or not of the form. Reply again, with an explanation of 50 words at most.',
  zh: '你的回复不完整或不符合格式。请重新回复，理由不超过 50 个字。',
};
