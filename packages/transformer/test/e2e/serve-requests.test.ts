import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, post, serveFolder, writeSmallModel } from './serve-setup.js';

let small: Awaited<ReturnType<typeof serveFolder>>;

beforeAll(async () => {
  small = await serveFolder(await writeSmallModel({ positions: 256 }));
});
afterAll(() => small.server.close());

const paths = {
  chat: '/v1/chat/completions',
  text: '/v1/completions',
  embed: '/v1/embeddings',
  tokenize: '/tokenize',
} as const;

interface Wrong {
  readonly what: string;
  readonly body: unknown;
  readonly param?: string | null;
  readonly code?: string | null;
  readonly says: RegExp;
  readonly to?: keyof typeof paths;
  readonly status?: number;
}

const chat = (more: object) => ask('Hello', more);
const message = (one: unknown) => ({ messages: [one] });
const many = (count: number) => Array.from({ length: count }, (_, at) => `stop ${at}`);

const wrongs: readonly Wrong[] = [
  // The body.
  { what: 'no JSON', body: '{"messages": [', code: 'invalid_json', says: /not JSON/ },
  { what: 'no object', body: '[1]', code: 'invalid_json', says: /JSON object/ },
  { what: 'null', body: 'null', code: 'invalid_json', says: /JSON object/ },
  { what: 'nothing', body: '', code: 'invalid_json', says: /not JSON/ },
  // Messages.
  { what: 'no messages', body: {}, param: 'messages', code: 'invalid_type', says: /got null/ },
  { what: 'none of them', body: { messages: [] }, param: 'messages', says: /has 0 messages/ },
  { what: 'too many', body: { messages: Array(2049).fill({}) }, says: /has 2,049 messages/ },
  { what: 'a text for a message', body: message('x'), param: 'messages[0]', says: /an object/ },
  { what: 'no role', body: message({ content: 'x' }), param: 'messages[0].role', says: /null/ },
  {
    what: 'another role',
    body: message({ role: 'robot', content: 'x' }),
    ...{ param: 'messages[0].role', says: /one of system, user, assistant/ },
  },
  {
    what: 'a tool that answers',
    body: message({ role: 'tool', content: 'x' }),
    ...{ code: 'unsupported_parameter', says: /Role 'tool' is not supported/ },
  },
  {
    what: 'no content',
    body: message({ role: 'user' }),
    ...{ param: 'messages[0].content', code: 'invalid_type', says: /string or a list of parts/ },
  },
  {
    what: 'a picture',
    body: message({ role: 'user', content: [{ type: 'image_url', image_url: {} }] }),
    ...{ param: 'messages[0].content[0]', says: /type 'image_url' is not supported/ },
  },
  {
    what: 'a part without text',
    body: message({ role: 'user', content: [{ type: 'text', text: 7 }] }),
    ...{ param: 'messages[0].content[0].text', says: /a string, got a number/ },
  },
  {
    what: 'a name',
    body: message({ role: 'user', content: 'x', name: 'Ann' }),
    ...{ param: 'messages[0].name', code: 'unknown_parameter', says: /Unknown/ },
  },
  // Settings.
  { what: 'a warm text', body: chat({ temperature: '1' }), param: 'temperature', says: /a number/ },
  { what: 'too warm', body: chat({ temperature: 2.5 }), param: 'temperature', says: /0 and 2/ },
  { what: 'top_p 0', body: chat({ top_p: 0 }), param: 'top_p', says: /above 0/ },
  { what: 'top_k below -1', body: chat({ top_k: -2 }), param: 'top_k', says: /between -1/ },
  { what: 'half a token', body: chat({ max_tokens: 1.5 }), param: 'max_tokens', says: /whole/ },
  { what: 'no token', body: chat({ max_tokens: 0 }), param: 'max_tokens', says: /is 0/ },
  { what: 'a broken seed', body: chat({ seed: 0.5 }), param: 'seed', says: /whole number/ },
  { what: 'too many answers', body: chat({ n: 129 }), param: 'n', says: /between 1 and 128/ },
  { what: '10,000 stops', body: chat({ stop: many(10_000) }), param: 'stop', says: /10,000 texts/ },
  { what: 'an empty stop', body: chat({ stop: [''] }), param: 'stop', says: /1 to 1,000 letters/ },
  { what: 'a stop of 7', body: chat({ stop: 7 }), param: 'stop', says: /list of strings/ },
  { what: 'stream 1', body: chat({ stream: 1 }), param: 'stream', says: /boolean, got a number/ },
  {
    what: 'usage of no stream',
    body: chat({ stream_options: { include_usage: true } }),
    ...{ param: 'stream_options', says: /for streams/ },
  },
  {
    what: 'another option of a stream',
    body: chat({ stream: true, stream_options: { fast: 1 } }),
    ...{ param: 'stream_options.fast', says: /Unknown/ },
  },
  {
    what: 'top_logprobs alone',
    body: chat({ top_logprobs: 3 }),
    ...{ param: 'top_logprobs', says: /needs 'logprobs'/ },
  },
  {
    what: 'too many top_logprobs',
    body: chat({ logprobs: true, top_logprobs: 21 }),
    ...{ param: 'top_logprobs', says: /between 0 and 20/ },
  },
  // What would change answers.
  ...[
    ['logit_bias', { 5: 1 }],
    ['tools', [{}]],
    ['presence_penalty', 1],
    ['functions', [{}]],
    ['response_format', { type: 'json_object' }],
    ['response_format', { type: 'json_schema', json_schema: {} }],
  ].map(([name, value]) => ({
    ...{ what: `${name}: ${JSON.stringify(value)}`, body: chat({ [name as string]: value }) },
    ...{ param: name as string, code: 'unsupported_parameter', says: /is not supported/ },
  })),
  {
    what: 'a field that is not known',
    body: chat({ guided_json: {} }),
    ...{
      param: 'guided_json',
      code: 'unknown_parameter',
      says: /Unknown parameter: 'guided_json'/,
    },
  },
  {
    what: 'a field of the language',
    body: `{"messages": [{"role": "user", "content": "x"}], "__proto__": {"a": 1}}`,
    ...{ param: '__proto__', code: 'unknown_parameter', says: /Unknown/ },
  },
  {
    what: 'another model',
    body: chat({ model: 'gpt-9' }),
    ...{ status: 404, param: 'model', code: 'model_not_found', says: /"gpt-9" does not exist/ },
  },
  // Room.
  {
    what: 'a prompt that is too long',
    body: ask('x '.repeat(300)),
    ...{
      code: 'context_length_exceeded',
      says: /length of this server is 256 tokens; .* or more of the/,
    },
  },
  {
    what: 'an answer that is too long',
    body: chat({ max_tokens: 1000 }),
    ...{ code: 'context_length_exceeded', says: /and 1,000 of the answer.*lower max_tokens/ },
  },
  {
    what: 'megabytes of text',
    body: ask('word '.repeat(1_500_000)),
    ...{ code: 'context_length_exceeded', says: /256 tokens; asked for are 1,\d{3} or more/ },
  },
  // Texts.
  { what: 'no prompt', body: {}, to: 'text', param: 'prompt', says: /text, a list of texts/ },
  { what: 'an empty prompt', body: { prompt: '' }, to: 'text', says: /has no tokens/ },
  { what: 'an id too high', body: { prompt: [640] }, to: 'text', says: /ids from 0 to 639/ },
  { what: 'mixed ids', body: { prompt: [1, 'a'] }, to: 'text', says: /ids from 0 to 639/ },
  { what: 'echo', body: { prompt: 'a', echo: true }, to: 'text', param: 'echo', says: /echo/ },
  {
    what: 'too many prompts',
    body: { prompt: many(2049) },
    ...{ to: 'text', param: 'prompt', says: /has 2,049 texts/ },
  },
  {
    what: 'too many answers to all prompts',
    body: { prompt: many(100), n: 100 },
    ...{ to: 'text', param: 'n', says: /10000 answers/ },
  },
  // Embeddings.
  { what: 'no input', body: { input: [] }, to: 'embed', param: 'input', says: /a text/ },
  {
    what: 'other dimensions',
    body: { input: 'a', dimensions: 8 },
    ...{ to: 'embed', param: 'dimensions', says: /between 32 and 32/ },
  },
  {
    what: 'another encoding',
    body: { input: 'a', encoding_format: 'hex' },
    ...{ to: 'embed', param: 'encoding_format', says: /float or base64/ },
  },
  {
    what: 'a text that is too long',
    body: { input: 'x '.repeat(300) },
    ...{ to: 'embed', param: 'input', code: 'context_length_exceeded', says: /256 tokens/ },
  },
  { what: 'half a letter', body: '{"content": "\\ud800"}', to: 'tokenize', status: 200, says: /./ },
];

describe('a request with', () => {
  it.each(wrongs)('$what', async (wrong) => {
    const { status, body, headers } = await post(
      `${small.root}${paths[wrong.to ?? 'chat']}`,
      wrong.body,
    );
    expect(status).toBe(wrong.status ?? 400);
    expect(headers.get('content-type')).toContain('application/json');
    if (status === 200) return;
    const { message: said, type, param, code } = body.error;
    expect(said).toMatch(wrong.says);
    expect(type).toBe('invalid_request_error');
    if (wrong.param !== undefined) expect(param).toBe(wrong.param);
    if (wrong.code !== undefined) expect(code).toBe(wrong.code);
    // Paths of the server are nobody's business.
    expect(JSON.stringify(body)).not.toContain('/tmp');
  });

  it('a template that refuses', async () => {
    const folder = await writeSmallModel({ tokenizer: 'gemma' });
    const other = await serveFolder(folder);
    const { status, body } = await post(`${other.url}/chat/completions`, {
      messages: [{ role: 'assistant', content: 'I begin' }],
    });
    expect([status, body.error.param]).toEqual([400, 'messages']);
    expect(body.error.message).toContain('refuses the conversation');
    expect(body.error.message).not.toContain(folder);
    await other.server.close();
  });

  it('10 MB, said before or only seen', async () => {
    const url = `${small.url}/chat/completions`;
    const large = JSON.stringify(ask('x'.repeat(10_000_001)));
    const stated = await post(url, large);
    expect([stated.status, stated.body.error.code]).toEqual([413, 'request_too_large']);
    const parts = new ReadableStream({
      start(controller) {
        for (let at = 0; at < large.length; at += 1e6) {
          controller.enqueue(Buffer.from(large.slice(at, at + 1e6)));
        }
        controller.close();
      },
    });
    const seen = await post(url, '', { body: parts, duplex: 'half' } as RequestInit);
    expect(seen.status).toBe(413);
  });

  it('other types, codings, methods and addresses', async () => {
    const url = `${small.url}/chat/completions`;
    const body = JSON.stringify(ask('Hello'));
    const typed = (headers: Record<string, string>) => post(url, body, { headers });
    expect((await typed({ 'content-type': 'text/plain' })).status).toBe(415);
    expect((await typed({ 'content-type': 'application/x-www-form-urlencoded' })).status).toBe(415);
    const coded = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
    expect((await typed(coded)).status).toBe(415);
    const charset = { 'content-type': 'application/json; charset=utf-8' };
    expect((await typed(charset)).status).toBe(200);
    for (const [path, method, allowed] of [
      ['/v1/chat/completions', 'GET', 'POST'],
      ['/v1/models', 'DELETE', 'GET'],
      ['/tokenize', 'PUT', 'POST'],
    ] as const) {
      const answer = await fetch(`${small.root}${path}`, { method });
      expect([answer.status, answer.headers.get('allow')]).toEqual([405, allowed]);
    }
    for (const path of ['/', '/v1', '/v1/models/other', '/../etc/passwd', '/v1/nothing']) {
      expect((await post(`${small.root}${path}`, '{}')).status).toBe(404);
    }
  });

  it('bytes that are no UTF-8', async () => {
    const bytes = Buffer.concat([
      Buffer.from('{"content": "'),
      Buffer.from([0xff]),
      Buffer.from('"}'),
    ]);
    const { status, body } = await post(`${small.root}/tokenize`, '', { body: bytes });
    expect([status, body.error.code]).toEqual([400, 'invalid_json']);
  });
});

/** What the server says to raw bytes until it closes, or until `enough` has come. */
function raw(bytes: string, enough?: RegExp, server = small.server): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(server.port, '127.0.0.1', () => socket.write(bytes));
    let said = '';
    socket.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (enough?.test(said) === true) socket.destroy();
    });
    socket.on('error', reject).on('close', () => resolve(said));
  });
}

describe('a connection with', () => {
  const head = (more: string) => `POST /tokenize HTTP/1.1\r\nHost: localhost\r\n${more}\r\n`;
  const json = 'Content-Type: application/json\r\n';

  it('no HTTP', async () => {
    expect(await raw('hello\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 .*"invalid_request_error"/s);
  });

  it('too large a head', async () => {
    expect(await raw(head(`X: ${'x'.repeat(20_000)}\r\n`))).toMatch(/^HTTP\/1\.1 431 /);
  });

  it('a body that never ends', async () => {
    // A server of its own: on a busy machine a whole request may take as long.
    const { server } = await serveFolder(await writeSmallModel(), { requestMs: 300 });
    const said = await raw(`${head(`${json}Content-Length: 100\r\n`)}{`, undefined, server);
    expect(said).toMatch(/^HTTP\/1\.1 408 .*"The request came too slowly\."/s);
    await server.close();
  });

  it('another host name', async () => {
    const named = (host: string) => raw(`GET /health HTTP/1.1\r\nHost: ${host}\r\n\r\n`, /\}$/);
    expect(await named('evil.example:80')).toMatch(/^HTTP\/1\.1 403 /);
    expect(await named('localhost:1')).toMatch(/^HTTP\/1\.1 200 /);
    expect(await named('[::1]:1')).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('two requests, one behind the other', async () => {
    const body = '{"content":"a"}';
    const one = `${head(`${json}Content-Length: ${body.length}\r\n`)}${body}`;
    const said = await raw(one + one, /"count".*"count".*\}/s);
    expect(said.match(/HTTP\/1\.1 200/g)).toHaveLength(2);
  });
});

describe('a key', () => {
  it('is wanted of all but health', async () => {
    const folder = await writeSmallModel();
    const other = await serveFolder(folder, { apiKey: 'secret-1' });
    const status = async (path: string, key?: string) => {
      const headers = key === undefined ? {} : { authorization: key };
      return (await fetch(`${other.root}${path}`, { headers })).status;
    };
    expect(await status('/health')).toBe(200);
    expect(await status('/v1/models')).toBe(401);
    expect(await status('/nothing')).toBe(401);
    for (const key of [
      'Bearer secret',
      'Bearer secret-12',
      'secret-1',
      'Basic secret-1',
      'Bearer ',
    ]) {
      expect(await status('/v1/models', key)).toBe(401);
    }
    expect(await status('/v1/models', 'Bearer secret-1')).toBe(200);
    const { body } = await post(`${other.url}/embeddings`, { input: 'a' });
    expect(body.error).toMatchObject({ type: 'authentication_error', code: 'invalid_api_key' });
    await other.server.close();
  });
});
