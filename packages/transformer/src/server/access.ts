/**
 * Who may ask.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { ApiProblem } from './api-problem.js';

const LOOPBACK: readonly string[] = ['127.0.0.1', 'localhost', '::1'];

/** Whether an address can be reached from this machine alone. */
export const isLoopback = (host: string): boolean =>
  LOOPBACK.includes(host) || /^127(?:\.\d+){3}$/.test(host);

/**
 * Refuses requests under another name of this machine: a page of a browser that has such a name
 * pointed here may not ask.
 *
 * @param host - that the server listens on; others than loopback have names that it cannot know.
 * @throws {ApiProblem} 403
 */
export function assertHost({ headers }: IncomingMessage, host: string): void {
  if (!isLoopback(host)) return;
  const name = (headers.host ?? '').replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  if (isLoopback(name.toLowerCase())) return;
  throw new ApiProblem(403, 'This server answers under the names of the loopback address only.');
}

/**
 * @param apiKey - null where nobody is asked for one.
 * @throws {ApiProblem} 401
 */
export function assertKey({ headers }: IncomingMessage, apiKey: string | null): void {
  if (apiKey === null) return;
  const given = /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1] ?? '';
  // Equal lengths, so that the time tells nothing.
  const digest = (text: string) => createHash('sha256').update(text).digest();
  if (timingSafeEqual(digest(given), digest(apiKey))) return;
  throw new ApiProblem(401, 'The API key is missing or wrong.', {
    ...{ code: 'invalid_api_key', headers: { 'www-authenticate': 'Bearer' } },
  });
}
