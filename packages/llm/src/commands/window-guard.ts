/** Looks, before a run sends its first long prompt, whether the server reads such a one whole. */
import type { AnswerStore } from '../answer-cache.js';
import type { ChatRequest } from '../chat.js';
import { type HttpClient } from '../client.js';
import { LlmFailure } from '../llm-failure.js';
import { characterCount, countMessages } from '../tokens.js';
import { probeWindow } from '../window-probe.js';

/** What a {@link WindowGuard} works with. */
export interface WindowGuardOptions {
  /** A client without a cache: what was answered once says nothing of the server now. */
  readonly open: () => HttpClient;
  readonly cache: Pick<AnswerStore, 'has'> | undefined;
  /** The longest prompt of the run. */
  readonly longest: ChatRequest['messages'];
  /** Called where it cannot be told whether the prompt was read. */
  readonly onDoubt: (text: string) => void;
  readonly signal: AbortSignal;
}

/** Shorter prompts fit into every window that is in use: 2,048 tokens, of three characters. */
const leastCharacters = 6000;

/** Sends at most one prompt of its own, as long as the longest of the run. */
export class WindowGuard {
  readonly #options: WindowGuardOptions;
  #probe: Promise<void> | null = null;

  constructor(options: WindowGuardOptions) {
    this.#options = options;
  }

  /**
   * To be called before a request is sent; gives nothing to wait for where it is short, or answered
   * already.
   *
   * @param hash - of the request in the cache.
   * @throws {LlmFailure} that ends the run, when the server cuts long prompts.
   */
  before({ messages }: ChatRequest, hash: () => string): Promise<void> | undefined {
    if (characterCount(messages) < leastCharacters) return undefined;
    if (this.#probe === null && this.#options.cache?.has(hash()) === true) return undefined;
    this.#probe ??= this.#look();
    return this.#probe;
  }

  async #look(): Promise<void> {
    const { open, longest, onDoubt, signal } = this.#options;
    const client = open();
    const { contextTokens } = client.capabilities;
    const most = Math.floor(windowShare * (contextTokens ?? Number.POSITIVE_INFINITY));
    const tokens = Math.min(await countMessages(longest), most);
    const size = `a prompt of ${tokens.toLocaleString('en-US')} tokens`;
    try {
      const reading = await probeWindow(client, tokens, signal);
      if (reading === 'read') return;
      const counted = reading === 'unknown' ? ', nor counted' : '';
      onDoubt(`the beginning of ${size} was not repeated${counted}: the model may not read it.`);
    } catch (error) {
      if (!(error instanceof LlmFailure)) throw error;
      // The rows' own requests fail for all other reasons as well, each by itself.
      if (error.kind === 'truncated') throw asEnd(error, size);
    } finally {
      await client.close();
    }
  }
}

const windowShare = 0.9;

function asEnd({ attempts, help }: LlmFailure, size: string): LlmFailure {
  return new LlmFailure(`llm/run: the server cuts ${size} without saying so.`, {
    ...{ kind: 'truncated', attempts, isRetryable: false, endsRun: true, help },
  });
}
