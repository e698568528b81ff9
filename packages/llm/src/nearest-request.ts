import type { RecordedCall, RecordedRequest } from './recording.js';

/** Characters shown around the first difference. */
const shownCharacters = 60;
/** Words that are compared; the nearest of many long requests is found in time. */
const mostWords = 4000;

/** The recorded call that is most like a request, or undefined. */
export function nearestCall(
  request: RecordedRequest,
  calls: Iterable<RecordedCall>,
): RecordedCall | undefined {
  const words = wordsOf(request);
  let best: RecordedCall | undefined;
  let bestScore = -1;
  for (const call of calls) {
    const score =
      overlap(words, wordsOf(call.request)) - 0.001 * settingsApart(request, call.request).length;
    if (score > bestScore) {
      best = call;
      bestScore = score;
    }
  }
  return best;
}

/** What is different between two requests, in one line for each difference. */
export function requestDifferences(asked: RecordedRequest, recorded: RecordedRequest): string[] {
  const lines = settingsApart(asked, recorded).map(
    (key) => `${key}: recorded ${show(recorded[key])}, asked ${show(asked[key])}`,
  );
  const most = Math.max(asked.messages.length, recorded.messages.length);
  for (let index = 0; index < most; index += 1) {
    const [one, other] = [recorded.messages[index], asked.messages[index]];
    if (one?.role !== other?.role) {
      lines.push(
        `message ${index + 1}: recorded ${one?.role ?? 'none'}, asked ${other?.role ?? 'none'}`,
      );
    } else if (one && other && one.content !== other.content) {
      const at = firstDifference(one.content, other.content);
      lines.push(
        `message ${index + 1} (${one.role}) from character ${at + 1}: ` +
          `recorded ${excerpt(one.content, at)}, asked ${excerpt(other.content, at)}`,
      );
    }
  }
  return lines;
}

const settings = [
  'temperature',
  'topP',
  'maxTokens',
  'stop',
  'seed',
  'topLogprobs',
  'responseFormat',
  'extra',
  'sample',
] as const;

function settingsApart(a: RecordedRequest, b: RecordedRequest): (typeof settings)[number][] {
  return settings.filter((key) => JSON.stringify(a[key]) !== JSON.stringify(b[key]));
}

function show(value: unknown): string {
  const text = value === undefined ? 'the default' : JSON.stringify(value);
  return text.length > shownCharacters ? `${text.slice(0, shownCharacters)}...` : text;
}

function excerpt(text: string, at: number): string {
  return show(text.slice(at, at + shownCharacters));
}

function firstDifference(a: string, b: string): number {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at += 1;
  return at;
}

function wordsOf({ messages }: RecordedRequest): Set<string> {
  const words = new Set<string>();
  for (const { role, content } of messages) {
    for (const [word] of content.matchAll(/[\p{L}\p{N}]+/gu)) {
      words.add(`${role} ${word}`);
      if (words.size >= mostWords) return words;
    }
  }
  return words;
}

/** Jaccard's index: common words as a share of all. */
function overlap(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  let common = 0;
  for (const word of a) if (b.has(word)) common += 1;
  const all = a.size + b.size - common;
  return all === 0 ? 1 : common / all;
}
