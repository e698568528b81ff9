/**
 * Text of tokens as they come.
 */
import type { Tokenizer } from '../tokenizer.js';

/** Tokens of the prompt that new ones are decoded with: the first one keeps its space. */
const CONTEXT = 6;

/** Bytes of a character, at most. */
const MOST_BYTES = 4;

/** What a decoder writes in the place of bytes that are no character, or not yet. */
const REPLACEMENT = '\uFFFD';

/** Decodes tokens one by one: all parts together are the text that all have behind the prompt. */
export class TextStream {
  private readonly ids: number[];
  /** First token that is decoded, and the first whose text is not out. */
  private from = 0;
  private next: number;

  constructor(
    private readonly tokenizer: Pick<Tokenizer, 'decode'>,
    prompt: readonly number[],
  ) {
    this.ids = [...contextOf(tokenizer, prompt)];
    this.next = this.ids.length;
  }

  /** Text that a token completes; empty within a character. */
  push(id: number): string {
    this.ids.push(id);
    const { added, isOpen } = this.decoded();
    if (isOpen) return '';
    this.from = this.next;
    this.next = this.ids.length;
    return added;
  }

  /** What is left at the end, with marks in the place of characters that are not complete. */
  end(): string {
    const { added } = this.decoded();
    this.next = this.ids.length;
    this.from = this.next;
    return added;
  }

  /** Text of the tokens whose text is not out, and whether later bytes may change its end. */
  private decoded(): { readonly added: string; readonly isOpen: boolean } {
    const decode = (end: number) =>
      this.tokenizer.decode(this.ids.slice(this.from, end), { skipSpecialTokens: true });
    const [before, all] = [decode(this.next), decode(this.ids.length)];
    // What both begin with: a mark at the end of the prompt may have become a character.
    let common = 0;
    while (common < before.length && before[common] === all[common]) common += 1;
    return { added: all.slice(common), isOpen: all.endsWith(REPLACEMENT) };
  }
}

/** Last tokens of a prompt, not from within a character on. */
function contextOf(
  tokenizer: Pick<Tokenizer, 'decode'>,
  prompt: readonly number[],
): readonly number[] {
  for (let count = CONTEXT; count < CONTEXT + MOST_BYTES; count += 1) {
    const tail = prompt.slice(-count);
    if (!tokenizer.decode(tail, { skipSpecialTokens: true }).startsWith(REPLACEMENT)) return tail;
  }
  return prompt.slice(-CONTEXT);
}
