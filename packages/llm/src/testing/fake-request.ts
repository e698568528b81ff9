/**
 * A request as the misbehaving server sees it.
 */
import { textHash } from './fake-hash.js';
import type { FakeEndpoint } from './fake-script.js';

/** A JSON object. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** A request with what rules look at. */
export interface FakeRequest {
  readonly endpoint: FakeEndpoint;
  readonly body: JsonObject;
  /** All of the prompt: messages with their roles, one after the other. */
  readonly prompt: string;
  /** The last message of the user, or the prompt itself. */
  readonly question: string;
  readonly hash: string;
  /** 1 for the first request with this prompt. */
  readonly attempt: number;
  /** 1 for the first request of all. */
  readonly arrival: number;
  /** Requests in work, this one included. */
  readonly concurrent: number;
  readonly apiKey: string;
}

/** What is known of a request besides its body. */
export type Arrival = Pick<FakeRequest, 'apiKey' | 'arrival' | 'attempt' | 'concurrent'>;

/** A request from its body; its arrival is noted by the hash of its prompt. */
export function requestOf(
  endpoint: FakeEndpoint,
  body: JsonObject,
  arrive: (hash: string) => Arrival,
): FakeRequest {
  const { prompt, question } = promptOf(body);
  const hash = textHash(prompt);
  return { endpoint, body, prompt, question, hash, ...arrive(hash) };
}

/** The hash that a conversation has in the counters. */
export function promptHash(
  messages: readonly { readonly role: string; readonly content: unknown }[],
): string {
  return textHash(promptOf({ messages }).prompt);
}

/** Prompt and question of a body of any endpoint. */
export function promptOf(body: JsonObject): { prompt: string; question: string } {
  const { messages, prompt, input } = body;
  if (Array.isArray(messages)) return conversation(messages as readonly JsonObject[]);
  const given = prompt ?? input ?? '';
  const isTexts = Array.isArray(given) && given.every((item) => typeof item === 'string');
  const listed = isTexts ? given.join('\n') : JSON.stringify(given);
  const text = typeof given === 'string' ? given : listed;
  return { prompt: text, question: text };
}

function conversation(messages: readonly JsonObject[]): { prompt: string; question: string } {
  let prompt = '';
  let question = '';
  for (const message of messages) {
    const content = contentText(message['content']);
    prompt += `${String(message['role'])}: ${content}\n`;
    if (message['role'] === 'user') question = content;
  }
  return { prompt, question };
}

function contentText(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.map((part) => String((part as JsonObject)['text'] ?? '')).join('');
}

/** A property that is an object, else an empty one. */
export function objectAt(body: JsonObject, key: string): JsonObject {
  const value = body[key];
  return typeof value === 'object' && value !== null ? (value as JsonObject) : {};
}

/** A property that is a number. */
export function numberAt(body: JsonObject, key: string): number | undefined {
  const value = body[key];
  return typeof value === 'number' ? value : undefined;
}
