/**
 * The name of a request in the cache and in rows.
 */
import { canonicalJson, sha256 } from '@lab/core';
import type { ChatMessage, ChatRequest } from './chat.js';

/** Part of each hash; a new number makes all answers that are kept worthless. */
const SCHEMA_VERSION = 1;

/** What is sent where a request names nothing, as the defaults of servers differ. */
export const requestDefaults = { temperature: 0, topP: 1, maxTokens: 1024 } as const;

/** Whose answer it is. */
export interface HashContext {
  /** Base URL without credentials, or the name that several servers of one model share. */
  readonly server: string;
  readonly model: string;
}

/**
 * SHA-256 of all that may change the answer, in lower-case hexadecimal: server, model, messages,
 * sampling, form of the answer, keys of the server, sample. Timeouts, tags and keys play no part,
 * and defaults are the same as values that are written out.
 */
export function requestHash(request: ChatRequest, context: HashContext): string {
  return sha256(hashedText(request, context));
}

/** The text that {@link requestHash} hashes. */
export function hashedText(request: ChatRequest, context: HashContext): string {
  const { messages, stop, seed, topLogprobs, responseFormat, extra } = request;
  const extraText = extra === undefined ? '{}' : canonicalJson(extra);
  // Keys stand in their order, so that the frequent parts need no sorting.
  const parts = [
    extraText === '{}' ? '' : `"extra":${extraText},`,
    `"maxTokens":${request.maxTokens ?? requestDefaults.maxTokens},`,
    `"messages":[${messages.map(messageText).join(',')}],`,
    `"model":${JSON.stringify(context.model)},`,
    responseFormat === undefined ? '' : `"responseFormat":${canonicalJson(responseFormat)},`,
    `"sample":${request.sample ?? 0},`,
    seed === undefined ? '' : `"seed":${seed},`,
    `"server":${JSON.stringify(context.server)},`,
    stop === undefined || stop.length === 0 ? '' : `"stop":${JSON.stringify(stop)},`,
    `"temperature":${request.temperature ?? requestDefaults.temperature},`,
    topLogprobs === undefined ? '' : `"topLogprobs":${topLogprobs},`,
    `"topP":${request.topP ?? requestDefaults.topP},`,
    `"version":${SCHEMA_VERSION}`,
  ];
  return `{${parts.join('')}}`;
}

function messageText({ content, role }: ChatMessage): string {
  return `{"content":${JSON.stringify(content)},"role":${JSON.stringify(role)}}`;
}
