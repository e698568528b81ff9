/**
 * The answer of a chat endpoint in the form of the interface, whole or put together from a stream.
 */

/** What a server said, before it is judged. */
export interface RawChat {
  /** Null where none was named. */
  readonly model: string | null;
  readonly content: string;
  /** Of `reasoning_content` or `reasoning`. */
  readonly reasoning: string | null;
  readonly refusal: string | null;
  /** Null where the answer broke off. */
  readonly finish: string | null;
  readonly logprobs: readonly unknown[] | null;
  readonly usage: Readonly<Record<string, unknown>> | null;
  readonly firstTokenMs: number | null;
}

type Fields = Readonly<Record<string, unknown>>;

/** The answer in a JSON body, or null where the body is no such answer. */
export function readChat(body: string): RawChat | null {
  const data = parsed(body);
  if (data === null) return null;
  const choice = firstChoice(data);
  const message = choice === null ? null : fields(choice['message']);
  if (choice === null || message === null) return null;
  return {
    model: textOf(data['model']),
    content: contentOf(message['content']) ?? '',
    reasoning: textOf(message['reasoning_content']) ?? textOf(message['reasoning']),
    refusal: textOf(message['refusal']),
    finish: textOf(choice['finish_reason']) ?? 'stop',
    logprobs: logprobsOf(choice),
    usage: usageOf(data),
    firstTokenMs: null,
  };
}

/** Puts an answer together from the events of a stream. */
export interface ChatCollector {
  /** Takes the data of one event. */
  add(data: string): void;
  /** What has come; null where an event was no JSON. */
  finish(): RawChat | null;
  /** What has come, whatever else did. */
  part(): RawChat;
  /** The body of an error that came within the stream. */
  readonly error: string | null;
}

/**
 * A collector without events.
 *
 * @param elapsedMs - milliseconds since the request was sent.
 */
export function createChatCollector(elapsedMs: () => number): ChatCollector {
  const content: string[] = [];
  const reasoning: string[] = [];
  const refusal: string[] = [];
  const logprobs: unknown[] = [];
  const state = {
    model: null as string | null,
    finish: null as string | null,
    usage: null as Fields | null,
    firstTokenMs: null as number | null,
    error: null as string | null,
    isBroken: false,
  };
  const addDelta = (choice: Fields): void => {
    const delta = fields(choice['delta']) ?? {};
    const text = contentOf(delta['content']) ?? '';
    const thought = textOf(delta['reasoning_content']) ?? textOf(delta['reasoning']) ?? '';
    if (text !== '') content.push(text);
    if (thought !== '') reasoning.push(thought);
    if (text !== '' || thought !== '') state.firstTokenMs ??= elapsedMs();
    const refused = textOf(delta['refusal']);
    if (refused !== null) refusal.push(refused);
    const tokens = logprobsOf(choice);
    if (tokens !== null) for (const token of tokens) logprobs.push(token);
    state.finish = textOf(choice['finish_reason']) ?? state.finish;
  };
  return {
    get error() {
      return state.error;
    },
    add(data) {
      if (data === '[DONE]') return;
      const event = parsed(data);
      if (event === null) {
        state.isBroken = true;
        return;
      }
      if (event['error'] !== undefined && event['error'] !== null) state.error ??= data;
      state.model ??= textOf(event['model']);
      state.usage = usageOf(event) ?? state.usage;
      const choice = firstChoice(event);
      if (choice !== null) addDelta(choice);
    },
    finish() {
      return state.isBroken ? null : this.part();
    },
    part() {
      const { model, finish, usage, firstTokenMs } = state;
      return {
        ...{ model, finish, usage, firstTokenMs },
        content: content.join(''),
        reasoning: reasoning.length === 0 ? null : reasoning.join(''),
        refusal: refusal.length === 0 ? null : refusal.join(''),
        logprobs: logprobs.length === 0 ? null : logprobs,
      };
    },
  };
}

function parsed(text: string): Fields | null {
  try {
    return fields(JSON.parse(text));
  } catch {
    return null; // what is no JSON is a row of the retry table, not an error of ours
  }
}

function fields(value: unknown): Fields | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Fields)
    : null;
}

/** Tokens; llama.cpp says beside them how many of the prompt it had already. */
function usageOf(data: Fields): Fields | null {
  const usage = fields(data['usage']);
  if (usage === null || (usage['prompt_tokens_details'] ?? null) !== null) return usage;
  const cached = fields(data['timings'])?.['cache_n'];
  if (typeof cached !== 'number') return usage;
  return { ...usage, prompt_tokens_details: { cached_tokens: cached } };
}

const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);

function firstChoice(data: Fields): Fields | null {
  const { choices } = data;
  return Array.isArray(choices) ? fields(choices[0]) : null;
}

/** Some servers give the content in parts. */
function contentOf(value: unknown): string | null {
  if (!Array.isArray(value)) return textOf(value);
  return value.map((part) => textOf(fields(part)?.['text']) ?? '').join('');
}

function logprobsOf(choice: Fields): readonly unknown[] | null {
  const list = fields(choice['logprobs'])?.['content'];
  return Array.isArray(list) ? (list as unknown[]) : null;
}
