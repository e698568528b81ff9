import { describe, expect, it } from 'vitest';
import { passedCommand, passedFlags, processFlags } from './earlier-flags.js';

describe('passedFlags', () => {
  it('leaves out what is of one call, and what the command says', () => {
    const options = {
      ...{ out: 'run', resume: true, shard: '0/2', dryRun: false, allowMixed: true, record: 'r' },
      ...{ data: 'rows.jsonl', maxCalls: 3, apiKeyFile: 'key', gate: 'kappa=0' },
    };
    expect(passedFlags(options)).toEqual({
      ...{ data: 'rows.jsonl', maxCalls: 3, apiKeyFile: 'key', gate: 'kappa=0' },
    });
    expect(passedFlags(options, [...processFlags, 'gate'])).toEqual({ data: 'rows.jsonl' });
  });

  it('keeps addresses without what may be a key', () => {
    const embedBaseUrl = 'http://me:secret@vectors/v1?key=secret';
    const baseUrl = ['http://me:secret@one/v1', 'http://two/v1/'];
    expect(passedFlags({ baseUrl, embedBaseUrl })).toEqual({
      baseUrl: ['http://one/v1', 'http://two/v1'],
      embedBaseUrl: 'http://vectors/v1',
    });
    expect(passedFlags({ baseUrl: ['http://one/v1'], embedBaseUrl: 'secret' })).toEqual({
      baseUrl: 'http://one/v1',
    });
  });
});

describe('passedCommand', () => {
  it('is the command without what may be a key', () => {
    const words = ['run', '--base-url=http://me:secret@host/v1?key=secret', '--model', 'a@b'];
    expect(passedCommand('loong', words)).toEqual([
      ...['loong', 'run', '--base-url=http://host/v1', '--model', 'a@b'],
    ]);
  });
});
