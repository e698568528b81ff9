import { type Allowances, scanJson } from './scan-json.js';

/** Values that are looked at in one answer; the last ones count. */
const mostValues = 16;
/** Characters that are read at most, by the length of the text, and what a try costs. */
const readingsOfText = 8;
const costOfTry = 32;
/** Short texts are read to the end. */
const leastBudget = 200_000;

/** JSON in an answer, and where it stands. */
export interface FoundJson {
  readonly json: string;
  readonly start: number;
  readonly end: number;
  /** Whether the answer ended inside it. */
  readonly isCut: boolean;
}

/** A bracket with what may follow it, as prose is full of others. */
const bracket = /\{(?=\s*(?:["'}]|$))|\[(?=\s*(?:["'[\]{\-\dtfnTFN]|$))/g;

/**
 * The answer without what a reasoning model thought: without a leading block in think tags, or
 * without all up to a closing tag whose opening one stood in the prompt. A closing tag inside a
 * text of the JSON stays.
 */
export function withoutReasoning(answer: string): string {
  const opening = /^\s*<(think|thinking|thought|reasoning)>/i.exec(answer);
  if (opening) {
    const closing = new RegExp(`</${opening[1]!}>`, 'gi');
    closing.lastIndex = opening[0].length;
    return closing.exec(answer) ? answer.slice(closing.lastIndex) : '';
  }
  const last = [...answer.matchAll(/<\/(?:think|thinking|thought|reasoning)>/gi)].at(-1);
  if (!last || isJson(answer.trim())) return answer;
  const rest = answer.slice(last.index + last[0].length);
  return isJson(rest.trim()) || outermostJson(rest).length > 0 ? rest : answer;
}

/**
 * JSON in an answer, the likeliest first: the whole answer, objects and arrays of the last fenced
 * block, those of the blocks before it, those that stand anywhere; the last one first.
 *
 * @param answer - without reasoning.
 * @param allowances - which errors of JSON are forgiven, see {@link scanJson}.
 */
export function findJson(answer: string, allowances: Allowances = {}): FoundJson[] {
  const blocks = fencedBlocks(answer).toReversed();
  const found = [{ start: 0, text: answer }, ...blocks].flatMap((block) => wholeJson(block));
  for (const { start, text } of blocks) {
    found.push(...outermostJson(text, allowances).map((json) => moved(json, start)));
    if (found.length >= mostValues) break;
  }
  found.push(...outermostJson(answer, allowances));
  const texts = new Set<string>();
  return found.filter(({ json }) => !texts.has(json) && texts.add(json)).slice(0, mostValues);
}

interface Block {
  readonly start: number;
  readonly text: string;
}

function wholeJson({ start, text }: Block): FoundJson[] {
  const json = text.trim();
  const from = start + text.length - text.trimStart().length;
  return isJson(json) ? [{ json, start: from, end: from + json.length, isCut: false }] : [];
}

function moved(found: FoundJson, by: number): FoundJson {
  return { ...found, start: found.start + by, end: found.end + by };
}

/**
 * Contents between lines that begin with a fence: no line inside a JSON text begins so. What stands
 * behind the name of a language counts, as some answers begin there.
 */
function fencedBlocks(text: string): Block[] {
  const blocks: Block[] = [];
  let open = -1;
  for (const fence of text.matchAll(/^[ \t]{0,12}```[\w+-]*/gm)) {
    if (open >= 0) {
      blocks.push({ start: open, text: text.slice(open, fence.index) });
      open = -1;
    } else {
      open = fence.index + fence[0].length;
    }
  }
  // The end of a block is missing in answers that were cut.
  if (open >= 0) blocks.push({ start: open, text: text.slice(open) });
  return blocks.slice(-mostValues);
}

/** Outermost objects and arrays of a text, the last one first. */
export function outermostJson(text: string, allowances: Allowances = {}): FoundJson[] {
  const found: FoundJson[] = [];
  // Containers that were open where a scan failed fail at the same place.
  let hopeless: Uint8Array | undefined;
  let budget = leastBudget + readingsOfText * text.length;
  let from = 0;
  while (budget > 0) {
    bracket.lastIndex = from;
    const start = bracket.exec(text)?.index;
    if (start === undefined) break;
    if (hopeless?.[start] === 1) {
      from = start + 1;
      continue;
    }
    const { isValue, end, json, isCut, open } = scanJson(text, start, allowances);
    budget -= end - start + costOfTry;
    if (isValue) {
      found.push({ json, start, end, isCut });
      from = end;
      if (found.length > 2 * mostValues) found.splice(0, mostValues);
      continue;
    }
    if (open.length > 1) hopeless ??= new Uint8Array(text.length);
    for (const at of open) if (hopeless) hopeless[at] = 1;
    from = start + 1;
  }
  return found.toReversed().slice(0, mostValues);
}

function isJson(text: string): boolean {
  if (/^[[{]/.test(text)) {
    const scan = scanJson(text, 0);
    return scan.isValue && scan.end === text.length;
  }
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
