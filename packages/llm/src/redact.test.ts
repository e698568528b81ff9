import { describe, expect, it } from 'vitest';
import { createRedactor, keptBody, parseAddress } from './redact.js';

describe('createRedactor', () => {
  it('takes given secrets out in every form', () => {
    const redact = createRedactor(['p@ss/word"x', '', 'abc']);
    expect(redact('a p@ss/word"x b p%40ss%2Fword%22x c')).toBe('a [redacted] b [redacted] c');
    expect(redact(JSON.stringify({ key: 'p@ss/word"x' }))).toBe('{"key":"[redacted]"}');
    expect(redact('abc stays')).toBe('abc stays');
  });

  it.each([
    ['Incorrect API key provided: sk-abcdef1234567890abc.', 'sk-abcdef'],
    ['Authorization: Bearer abcdefgh12345678', 'abcdefgh12345678'],
    ['proxy http://user:hunter2@proxy:3128/ failed', 'hunter2'],
    ['"api_key": "abcdefgh12345678"', 'abcdefgh12345678'],
    ['hf_ABCDEFGHIJKLMNOP', 'ABCDEFGHIJKLMNOP'],
  ])('takes out what looks like one: %s', (text, secret) => {
    const clean = createRedactor([])(text);
    expect(clean).not.toContain(secret);
    expect(clean).toContain('[redacted]');
  });

  it('leaves other text alone', () => {
    const text = 'risk-averse basic needs at https://example.org/a@b and task-1';
    expect(createRedactor([])(text)).toBe(text);
  });
});

describe('keptBody', () => {
  it('leaves no half of a secret at its end', () => {
    const secret = 'q7'.repeat(20);
    const redact = createRedactor([secret]);
    const kept = keptBody(`${'x'.repeat(2040)}${secret}`, redact);
    expect(kept).not.toContain('q7');
  });
});

describe('parseAddress', () => {
  it('splits credentials and query off', () => {
    expect(parseAddress('https://user:p%40ss@Host.example:8443/v1/?key=1')).toEqual({
      url: 'https://host.example:8443/v1',
      origin: 'https://host.example:8443',
      path: '/v1',
      credentials: 'user:p@ss',
      query: '?key=1',
      isLoopback: false,
    });
  });

  it.each(['http://localhost:1/v1', 'http://127.0.0.1/v1', 'http://[::1]:8000'])(
    'knows that %s is this machine',
    (url) => expect(parseAddress(url)?.isLoopback).toBe(true),
  );

  it.each(['', 'localhost:8000', 'ftp://host/v1', 'http://'])('takes no %j', (text) => {
    expect(parseAddress(text)).toBeNull();
  });
});
