/** What a scripted reader of few tokens must answer, worked out by other means than its own. */
import { type Construction, goldOf } from '../build/operations.js';
import type { DocumentLibrary } from '../library.js';
import type { LoongRecord } from '../record.js';
import { countTokens } from '../tokens.js';

/** The answer that the documents within the window give, and whether these were all. */
export interface ExpectedReading {
  readonly answer: unknown;
  readonly sawAll: boolean;
}

/** By the order of documents in the prompt, their lengths and the values of the question alone. */
export async function expectedReading(
  record: LoongRecord,
  docsUsed: readonly string[],
  { library, windowTokens }: { readonly library: DocumentLibrary; readonly windowTokens: number },
): Promise<ExpectedReading> {
  const { values, ...what } = record.construction as unknown as Construction;
  const seen: string[] = [];
  let tokens = 0;
  for (const name of docsUsed) {
    const { text } = library.find(record, name)!;
    tokens += await countTokens(`《${name}》\n${text}\n\n`);
    if (tokens > windowTokens) break;
    seen.push(name);
  }
  const own = Object.fromEntries(seen.map((name) => [name, values[name]!]));
  const answer: unknown = goldOf({ ...what, values: own });
  return { answer, sawAll: seen.length === docsUsed.length };
}
