import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { describe, expect, it } from 'vitest';
import { readInterventions } from './index.js';

function fileOf(content: string): string {
  const path = join(temporaryFolder(), 'changes.json');
  writeFileSync(path, content);
  return path;
}

describe('readInterventions', () => {
  it('reads a list', () => {
    const changes = [{ kind: 'scale', site: 'z', layer: 1, value: 0.5 }];
    expect(readInterventions(fileOf(JSON.stringify(changes)))).toEqual(changes);
  });

  it.each([
    ['no JSON', '[', /changes\.json: is not JSON \(.+\)\.$/],
    ['another form', '[{ "kind": "zero" }]', /changes\.json\[0\]: has no site\.$/],
    [
      'many problems',
      JSON.stringify(Array.from({ length: 7 }, () => 1)),
      /\[0\]: .*\[4\]: must be an object, got 1; and 2 more\.$/,
    ],
  ])('refuses %s, and says where', (_, content, message) => {
    const path = fileOf(content);
    expect(() => readInterventions(path)).toThrow(message);
    expect(() => readInterventions(path)).toThrow(
      expect.objectContaining({ code: 'LAB_DATA', file: path, help: expect.any(String) }),
    );
  });

  it('refuses a file that is not there', () => {
    expect(() => readInterventions('/none.json')).toThrow('/none.json: there is no such file.');
  });
});
