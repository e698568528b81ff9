/**
 * Answers that decline to judge.
 */

const maxLength = 700;

const refusals = new RegExp(
  "\\bI(?:'m| am)? (?:can(?:no|')t|can not|won't|will not|unable|not able|not comfortable|" +
    "must decline|have to decline|decline)\\b|\\bI['’]m sorry\\b|\\bI apologi[sz]e\\b|" +
    '\\bas an AI\\b|\\bagainst my (?:guidelines|policy|programming)\\b|' +
    '我(?:无法|不能)|抱歉|对不起|не могу|não posso|lo siento',
  'iu',
);

/** Whether a short answer without scores reads like a refusal. */
export function looksLikeRefusal(answer: string): boolean {
  const text = answer.trim().replaceAll('’', "'");
  return text.length > 0 && text.length <= maxLength && refusals.test(text);
}
