import { describe, expect, it } from 'vitest';
import { problemOfAnswer, problemOfError } from './call-problem.js';
import { createRedactor } from './redact.js';
import { TransportError } from './transport-error.js';

const redact = createRedactor(['sk-very-secret']);

const judged = (status: number, error: object | string, headers: Record<string, string> = {}) =>
  problemOfAnswer(
    {
      ...{ status, headers, isStream: false },
      body: typeof error === 'string' ? error : JSON.stringify({ error }),
    },
    { redact, date: 0 },
  );

describe('problemOfAnswer', () => {
  it.each([408, 409, 425, 500, 502, 503, 504, 520, 524, 529])('%i passes', (status) => {
    expect(judged(status, {}).class).toBe('transient');
  });

  it.each([
    [401, 'auth'],
    [403, 'auth'],
    [404, 'auth'],
    [402, 'quota'],
    [413, 'context-length'],
    [418, 'bad-request'],
    [301, 'bad-request'],
    [501, 'server'],
    [530, 'server'],
  ])('%i is final and of kind %s', (status, kind) => {
    expect(judged(status, {})).toMatchObject({ class: 'final', kind, status });
  });

  it('tells rate limits from used-up quotas', () => {
    expect(judged(429, { message: 'slow down' })).toMatchObject({ class: 'rate-limit' });
    expect(judged(429, { code: 'insufficient_quota' })).toMatchObject({
      ...{ class: 'final', kind: 'quota' },
    });
    expect(judged(429, { type: 'billing_not_active', code: null })).toMatchObject({
      ...{ class: 'final', kind: 'quota' },
    });
    expect(judged(503, {}, { 'retry-after': '2' })).toMatchObject({
      ...{ class: 'rate-limit', kind: 'server', retryAfterMs: 2000 },
    });
  });

  it.each([
    "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens.",
    'the request exceeds the available context size (4096 tokens), try increasing it',
    'Input is too long for requested model.',
    "Requested token count exceeds the model's maximum context length of 2048 tokens.",
  ])('finds a prompt that is too long: %s', (message) => {
    expect(judged(400, { message })).toMatchObject({ class: 'final', kind: 'context-length' });
  });

  it.each([
    [
      "Unsupported parameter: 'max_tokens' is not supported with this model. " +
        "Use 'max_completion_tokens' instead.",
      'max_tokens',
      'max_tokens',
      'max_completion_tokens',
    ],
    [
      "Unsupported value: 'temperature' does not support 0 with this model. " +
        'Only the default (1) value is supported.',
      'temperature',
      'temperature',
      undefined,
    ],
    ['Unrecognized request argument supplied: top_k', null, 'top_k', undefined],
    ['logprobs are not supported by this model.', 'logprobs', 'logprobs', undefined],
    [
      "Unknown parameter: 'stream_options.include_usage'.",
      'stream_options.include_usage',
      'stream_options',
      undefined,
    ],
  ])('finds the parameter in: %s', (message, param, parameter, replacement) => {
    expect(judged(400, { message, param })).toMatchObject({
      ...{ class: 'parameter', kind: 'bad-request', parameter, replacement },
    });
  });

  it('takes other requests as wrong', () => {
    const problem = judged(400, { message: 'messages must not be empty', param: 'messages' });
    expect(problem).toMatchObject({ class: 'final', kind: 'bad-request' });
  });

  it('finds content filters', () => {
    expect(judged(400, { code: 'content_filter', message: 'no' })).toMatchObject({
      ...{ class: 'refused', kind: 'content-filter' },
    });
  });

  it('reads other forms of errors', () => {
    expect(judged(500, '{"error":"out of memory"}').message).toContain('out of memory');
    expect(judged(500, '{"detail":"Not Found"}').message).toContain('Not Found');
    expect(judged(500, '{"object":"error","message":"bad"}').message).toContain('bad');
    expect(judged(502, '<html>Bad Gateway</html>').message).toContain('Bad Gateway');
    expect(judged(500, '').message).toBe('the server answered 500');
    expect(judged(500, 'null').message).toBe('the server answered 500');
  });

  it('keeps 2 KB of the body, without secrets', () => {
    const problem = judged(500, `key sk-very-secret ${'x'.repeat(5000)}`);
    expect(problem.body).not.toContain('secret');
    expect(problem.body).toHaveLength(2051);
    expect(problem.message).not.toContain('secret');
  });
});

describe('problemOfError', () => {
  it.each([
    ['connect-timeout', 'transient', 'timeout'],
    ['first-byte-timeout', 'timeout', 'timeout'],
    ['idle-timeout', 'timeout', 'timeout'],
    ['total-timeout', 'timeout', 'timeout'],
    ['network', 'transient', 'network'],
    ['certificate', 'final', 'network'],
    ['too-large', 'final', 'server'],
    ['aborted', 'final', 'aborted'],
  ] as const)('%s is %s and of kind %s', (problem, row, kind) => {
    const found = problemOfError(new TransportError(problem, 'so'), redact);
    expect(found).toMatchObject({ class: row, kind, message: 'so' });
  });
});
