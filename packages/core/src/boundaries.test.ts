import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

/** Every module outside the package that an entry loads, through all relative imports. */
function outsideImports(entry: string): string[] {
  const seen = new Set<string>();
  const outside = new Set<string>();
  const waiting = [new URL(entry, import.meta.url).href];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    const source = readFileSync(new URL(file), 'utf8');
    const imports = /^(?:import|export|}) .*from '([^']+)';$|await import\('([^']+)'\)/gm;
    for (const [, always, later = ''] of source.matchAll(imports)) {
      const name = always ?? later;
      if (name.startsWith('.')) waiting.push(new URL(name.replace(/\.js$/, '.ts'), file).href);
      else if (!name.startsWith('node:')) outside.add(name);
    }
  }
  return [...outside].sort();
}

describe('entries load no more than they may', () => {
  it.each([
    ['./index.ts', ['zod']],
    ['./cli.ts', ['commander', 'picocolors', 'yaml', 'zod']],
    ['./csv.ts', ['fast-csv']],
    ['./testing.ts', []],
  ])('%s', (entry, expected) => {
    expect(outsideImports(entry)).toEqual(expected);
  });
});
