/**
 * The angles from which a pair is judged: asked of the model for each sample, or given.
 */
import { type ChatRequest, type LlmClient, LlmFailure, UnparsedAnswer } from '@lab/llm';
import { z } from 'zod';
import type { WidedeepConfig } from './config.js';
import { type Family, messagesOf } from './families/family.js';
import type { Role } from './judgement.js';
import type { Sample } from './sample.js';

/** The angles of a sample. */
export interface GeneratedRoles {
  readonly roles: readonly Role[];
  /** Whether the model named more than are used. */
  readonly isCapped: boolean;
}

/** What {@link generateRoles} works with. */
export interface RoleOptions {
  readonly client: LlmClient;
  readonly family: Family;
  readonly config: Pick<WidedeepConfig, 'judge' | 'roles' | 'seed'>;
}

/** The angles of a sample for which the model names none. */
const fallbackNames = ['Accuracy', 'Relevance'];
/** A repeated request at temperature 0 mostly repeats its failure. */
const temperatures = [0, 0.3, 0.7];
const maxNameLength = 160;
const maxDescriptionLength = 400;

/**
 * The angles from which a sample is compared: one call, and up to `roles.attempts` of them while
 * none can be read. Fewer than `roles.min` are filled up with accuracy and relevance, more than
 * `roles.max` are cut.
 *
 * Deviation: the released code repeats its call at temperature 0 and keeps duplicates and any
 * number (mode official).
 */
export async function generateRoles(
  sample: Sample,
  { client, family, config }: RoleOptions,
): Promise<GeneratedRoles> {
  const { kind, library, attempts, max, min, mergeDuplicates } = config.roles;
  if (kind === 'none') return { roles: [], isCapped: false };
  if (kind === 'library') {
    return { roles: library.map((name) => ({ name, source: 'library' })), isCapped: false };
  }
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const request = roleRequest(sample, { family, config }, attempt);
    const named = await namedRoles(client, request, { family, config });
    if (named.length === 0) continue;
    const distinct = mergeDuplicates ? withoutDuplicates(named) : named;
    const most = kind === 'limited' ? 2 : (max ?? distinct.length);
    const kept = distinct.slice(0, Math.max(most, 1));
    return { roles: filledUp(kept, min), isCapped: distinct.length > kept.length };
  }
  return { roles: filledUp([], Math.max(min, 1)), isCapped: false };
}

/** The request for the angles of a sample. */
export function roleRequest(
  sample: Sample,
  { family, config }: Omit<RoleOptions, 'client'>,
  attempt = 0,
): ChatRequest {
  const { seed, roles } = config;
  const template = roles.kind === 'limited' ? family.limitedRoles : family.roles;
  const { question, answer1, answer2 } = sample;
  const asked = template.fill({ question, answer1, answer2 });
  const form = roles.format === 'json' ? `\n\n${dataForm}` : '';
  const isOfficial = roles.attempts > temperatures.length;
  const temperature = isOfficial ? 0 : (temperatures[attempt] ?? temperatures.at(-1));
  return {
    messages: messagesOf(family, `${asked}${form}`, config.judge.system),
    temperature,
    topP: 1,
    maxTokens: roles.maxTokens,
    sample: attempt,
    seed: seed ?? undefined,
    tag: 'roles',
  };
}

/** The angles that an answer names; none where the sample is refused, or the answer no data. */
async function namedRoles(
  client: LlmClient,
  request: ChatRequest,
  { family, config }: Pick<RoleOptions, 'config' | 'family'>,
): Promise<Role[]> {
  try {
    if (config.roles.format === 'text') {
      return parseRoles((await client.chat(request)).text, family.closingMark);
    }
    const { json } = await client.json(request, rolesSchema);
    return json.roles.flatMap(({ name, description }) => roleOf(name, description));
  } catch (error) {
    if (isOfSample(error)) return [];
    throw error;
  }
}

/** Whether a failure says something of the sample and its answer, not of the server. */
function isOfSample(error: unknown): boolean {
  if (error instanceof UnparsedAnswer) return true;
  if (!(error instanceof LlmFailure)) return false;
  return error.kind === 'refusal' || error.kind === 'content-filter';
}

const rolesSchema = z.object({
  roles: z.array(z.object({ name: z.string(), description: z.string() })),
});

/** Said after a prompt that asks for marks. */
const dataForm =
  'Give the angles as data in place of lines with marks: "roles", a list of objects, each with a ' +
  '"name" of a few words and a "description" of one sentence.';

/**
 * The angles in a model's answer: every shortest text between `$` and the closing mark, across line
 * ends, and what stands behind it on its line as the description.
 */
export function parseRoles(text: string, closingMark: '&' | '@'): Role[] {
  const pattern = new RegExp(`\\$([^$]+?)${closingMark}([^\\n$]*)`, 'g');
  const found: Role[] = [];
  for (const [, raw = '', behind = ''] of text.matchAll(pattern)) {
    found.push(...roleOf(raw, behind));
  }
  return found;
}

/** The angle of a name and what is said about it; none for a name without a letter. */
function roleOf(raw: string, about: string): Role[] {
  const name = tidy(raw).slice(0, maxNameLength);
  if (!/[\p{L}\p{N}]/u.test(name)) return [];
  const description = tidy(about).slice(0, maxDescriptionLength);
  return [description === '' ? { name, source: 'llm' } : { name, description, source: 'llm' }];
}

/** Without markup and punctuation around it, on one line. */
function tidy(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .replace(/^[\s*_`"'“”:.,;–—-]+|[\s*_`"'“”:,;–—-]+$/gu, '')
    .trim();
}

function withoutDuplicates(roles: readonly Role[]): Role[] {
  const seen = new Set<string>();
  return roles.filter(({ name }) => {
    const key = name.toLowerCase();
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

function filledUp(roles: readonly Role[], min: number): Role[] {
  const names = new Set(roles.map(({ name }) => name.toLowerCase()));
  const spare = fallbackNames.filter((name) => !names.has(name.toLowerCase()));
  const missing = Math.max(0, min - roles.length);
  const added = spare.slice(0, missing).map((name): Role => ({ name, source: 'fallback' }));
  return [...roles, ...added];
}
