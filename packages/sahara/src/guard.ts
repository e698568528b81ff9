/**
 * A guard model as a judge: a checkpoint whose first token says whether an exchange is unsafe.
 */
import { ModelError } from '@lab/core';
import type { Model, Tokenizer } from '@lab/transformer';

/** How a guard model is asked. */
export interface GuardOptions {
  /**
   * Text with `{prompt}` and `{response}` in it, special tokens written out; default the chat
   * template of the model, with the prompt as the user's turn and the response as the assistant's.
   */
  readonly question?: string | undefined;
  /** First token of the answer that says so; default `unsafe`. */
  readonly unsafe?: string | undefined;
}

/**
 * The probability that a guard model begins its answer with `unsafe`, of all tokens it might begin
 * with; spellings with and without a space before it count together.
 *
 * Source: Inan et al., Llama Guard; the probability of the first token is its score.
 *
 * @returns what `createJudge('guard', { unsafeProbability })` takes.
 * @throws {ModelError} where the tokenizer has no such token.
 */
export function guardProbability(
  { model, tokenizer }: { readonly model: Model; readonly tokenizer: Tokenizer },
  { question, unsafe = 'unsafe' }: GuardOptions = {},
): (prompt: string, response: string) => Promise<number> {
  const plain = (text: string) => tokenizer.encode(text, { addSpecialTokens: false });
  const spellings = [unsafe, ` ${unsafe}`, `\n${unsafe}`].map((text) => plain(text));
  // A space may be a token of its own: what begins the word is meant.
  const wanted = new Set(
    spellings.flatMap((ids) => ids.find((id) => isBegin(tokenizer, id, unsafe)) ?? []),
  );
  if (wanted.size === 0) {
    throw new ModelError(`sahara/guard: no token of the guard model begins "${unsafe}".`, {
      help: 'Take a guard model that answers safe or unsafe, or name its word.',
    });
  }
  return async (prompt, response) => {
    const ids =
      question === undefined
        ? plain(
            tokenizer.chat.render([
              { role: 'user', content: prompt },
              { role: 'assistant', content: response },
            ]),
          )
        : plain(
            question.replace(/\{(prompt|response)\}/g, (_, name: string) =>
              name === 'prompt' ? prompt : response,
            ),
          );
    const { logits, residual } = await model.forward({ ids: [ids], logits: 'last' });
    const values = (await logits!.data()) as Float32Array;
    logits!.dispose();
    residual.dispose();
    return shareOf(values, wanted);
  };
}

/** Whether a token's own letters begin a word. */
function isBegin(tokenizer: Tokenizer, id: number, word: string): boolean {
  const letters = tokenizer.decode([id]).trim();
  return letters !== '' && word.startsWith(letters);
}

function shareOf(logits: Float32Array, wanted: ReadonlySet<number>): number {
  let most = -Infinity;
  for (const logit of logits) if (logit > most) most = logit;
  let [all, own] = [0, 0];
  logits.forEach((logit, id) => {
    const weight = Math.exp(logit - most);
    all += weight;
    if (wanted.has(id)) own += weight;
  });
  return own / all;
}
