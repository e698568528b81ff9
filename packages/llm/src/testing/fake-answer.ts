/**
 * What the misbehaving server says to a prompt, before it is put into a body.
 */
import { mixBits, saltOf } from './fake-hash.js';
import { type FakeRequest, type JsonObject, numberAt, objectAt } from './fake-request.js';
import type { ChosenRules } from './fake-rules.js';
import type { FakeRule, FakeRuleOf } from './fake-script.js';
import { countTokens, keepLastTokens, splitTokens } from './fake-tokens.js';
import { wordsOf } from './fake-words.js';
import { fillSchema } from './fill-schema.js';

/** One answer of a model. */
export interface FakeAnswer {
  /** Null where a refusal or a filter takes its place. */
  readonly content: string | null;
  readonly reasoning: string | null;
  /** Key that the reasoning stands under. */
  readonly reasoningKey: 'reasoning' | 'reasoning_content';
  readonly refusal: string | null;
  readonly finish: 'content_filter' | 'length' | 'stop';
  readonly tokens: number;
  readonly reasoningTokens: number;
}

/** What is left of a prompt, and its tokens. */
export interface FakePrompt {
  readonly prompt: string;
  readonly question: string;
  readonly tokens: number;
}

/** Tokens that a template adds around the messages. */
const templateTokens = 3;

/** The prompt that the model sees: all of it, or its end where the script truncates. */
export function seenPrompt(request: FakeRequest, rules: ChosenRules): FakePrompt {
  const tokens = countTokens(request.prompt) + templateTokens;
  const truncate = rules.get('truncate');
  if (truncate === undefined || tokens <= truncate.tokens) {
    return { prompt: request.prompt, question: request.question, tokens };
  }
  const prompt = keepLastTokens(request.prompt, truncate.tokens - templateTokens);
  const question = request.question.length <= prompt.length ? request.question : prompt;
  return { prompt, question, tokens: truncate.tokens };
}

/** The model's answer number `index` to a prompt. */
export function answerTo(
  request: FakeRequest,
  rules: ChosenRules,
  seen: FakePrompt,
  index: number,
): FakeAnswer {
  const filter = rules.faults.find((rule) => rule.do === 'content-filter');
  if (filter !== undefined) return bare(null, 'content_filter');
  const refusal = rules.get('refusal');
  if (refusal?.form === 'field') return { ...bare(null, 'stop'), refusal: refusal.text };
  if (refusal?.form === 'text') return bare(refusal.text, 'stop');
  const empty = rules.get('empty');
  if (empty !== undefined) return bare(emptyContents[empty.content], 'stop');
  const text = bend(plainText(request, rules, seen, index), rules);
  return shorten(withReasoning(text, rules), request, rules);
}

const emptyContents = { empty: '', null: null, blank: ' \n' } as const;

function bare(content: string | null, finish: FakeAnswer['finish']): FakeAnswer {
  return {
    content,
    reasoning: null,
    reasoningKey: 'reasoning_content',
    refusal: null,
    finish,
    tokens: content === null ? 0 : countTokens(content),
    reasoningTokens: 0,
  };
}

function plainText(
  request: FakeRequest,
  rules: ChosenRules,
  seen: FakePrompt,
  index: number,
): string {
  const salt = answerSalt(request.body, index);
  let isEcho = false;
  let words: number | undefined;
  for (const rule of rules.answers) {
    const text = scripted(rule, request, seen, salt);
    if (text !== undefined) return text;
    if (rule.do === 'echo' && words === undefined) isEcho = true;
    if (rule.do === 'words' && !isEcho) words ??= rule.count;
  }
  const schema = rules.get('schema-ignored') === undefined ? wantedSchema(request.body) : undefined;
  if (schema !== undefined) return asText(fillSchema(schema, mixed(request.hash, salt)), schema);
  if (isEcho) return seen.question;
  return wordsOf(request.hash, words ?? 6, salt);
}

/** The text of rules that say what is answered, whatever form was asked for. */
function scripted(
  rule: FakeRule,
  request: FakeRequest,
  seen: FakePrompt,
  salt: number,
): string | undefined {
  switch (rule.do) {
    case 'text':
      return rule.text;
    case 'table':
      return fromTable(rule, seen);
    case 'choose':
      return rule.texts[mixBits(request.hash, salt) % rule.texts.length];
    case 'recall': {
      const found = new RegExp(rule.pattern, 'u').exec(seen.prompt);
      return found === null ? 'I cannot find it.' : (found[1] ?? found[0]);
    }
    case 'fill-schema':
      return JSON.stringify(fillSchema(rule.schema, mixed(request.hash, salt)));
    default:
      return undefined;
  }
}

function fromTable({ answers, by }: FakeRuleOf<'table'>, seen: FakePrompt): string | undefined {
  if (by === 'question') {
    return Object.hasOwn(answers, seen.question) ? answers[seen.question] : undefined;
  }
  return Object.entries(answers).find(([key]) => seen.prompt.includes(key))?.[1];
}

/** Samples differ as with a real server: by their place, and by seed when the model is warm. */
function answerSalt(body: JsonObject, index: number): number {
  const isWarm = (numberAt(body, 'temperature') ?? 1) > 0;
  const seed = isWarm ? numberAt(body, 'seed') : undefined;
  return index === 0 && seed === undefined ? 0 : saltOf(`${seed ?? ''}/${index}`);
}

function mixed(hash: string, salt: number): string {
  return salt === 0 ? hash : mixBits(hash, salt).toString(16).padStart(8, '0');
}

/** A choice of vLLM's is given bare, all else as JSON. */
function asText(value: unknown, schema: JsonObject): string {
  return typeof value === 'string' && isChoice in schema ? value : JSON.stringify(value);
}

const isChoice = 'x-choice';

const anyObject: JsonObject = {
  type: 'object',
  properties: { answer: { type: 'string' } },
  required: ['answer'],
};

/** The schema that a body asks for, in the forms of OpenAI, vLLM and llama.cpp. */
export function wantedSchema(body: JsonObject): JsonObject | undefined {
  const outputs = objectAt(body, 'structured_outputs');
  if (Array.isArray(outputs['choice'])) {
    return { enum: outputs['choice'], [isChoice]: true };
  }
  if ('json' in outputs) return objectAt(outputs, 'json');
  const format = objectAt(body, 'response_format');
  if (format['type'] === 'json_schema') return objectAt(objectAt(format, 'json_schema'), 'schema');
  if (format['type'] !== 'json_object') return undefined;
  return 'schema' in format ? objectAt(format, 'schema') : anyObject;
}

function bend(text: string, rules: ChosenRules): string {
  const fenced = rules.get('fenced');
  const extra = rules.get('extra-text');
  const inside = fenced === undefined ? text : `\`\`\`${fenced.language}\n${text}\n\`\`\``;
  return extra === undefined ? inside : `${extra.before}${inside}${extra.after}`;
}

function withReasoning(text: string, rules: ChosenRules): FakeAnswer {
  const rule = rules.get('reasoning');
  if (rule === undefined) return bare(text, 'stop');
  const reasoningTokens = countTokens(rule.text);
  const counted = { reasoningTokens, tokens: countTokens(text) + reasoningTokens };
  switch (rule.form) {
    case 'tags':
      return { ...bare(`<think>\n${rule.text}\n</think>\n\n${text}`, 'stop'), ...counted };
    case 'closing-tag':
      return { ...bare(`${rule.text}\n</think>\n\n${text}`, 'stop'), ...counted };
    case 'open-tag':
      return { ...bare(`<think>\n${rule.text}`, 'length'), ...counted };
    case 'reasoning':
    case 'reasoning_content':
      return {
        ...bare(text, 'stop'),
        ...counted,
        reasoning: rule.text,
        reasoningKey: rule.form,
      };
  }
}

function shorten(answer: FakeAnswer, request: FakeRequest, rules: ChosenRules): FakeAnswer {
  const { content } = answer;
  if (content === null) return answer;
  const { body } = request;
  const most = numberAt(body, 'max_completion_tokens') ?? numberAt(body, 'max_tokens');
  const length = rules.get('length');
  const isWhole = (most ?? Infinity) >= (length?.untilMaxTokens ?? Infinity);
  const share = length === undefined || isWhole ? 1 : length.keepShare;
  const allowed = Math.min(
    most ?? Infinity,
    share < 1 ? Math.floor(answer.tokens * share) : Infinity,
  );
  if (answer.tokens <= allowed && share === 1) return answer;
  const pieces = splitTokens(content);
  const kept = pieces.slice(0, Math.max(0, allowed - (answer.tokens - pieces.length)));
  return { ...answer, content: kept.join(''), finish: 'length', tokens: allowed };
}
