import { describe, expect, it } from 'vitest';
import { printEnvironment } from './print-environment.js';

function printed(
  ...rest: Parameters<typeof printEnvironment> extends [unknown, ...infer R] ? R : never
) {
  const lines: string[] = [];
  let json: unknown;
  const context = {
    print: (text: string) => void lines.push(text),
    printJson: (value: unknown) => {
      json = value;
    },
  };
  printEnvironment(context, ...rest);
  return { lines, json };
}

describe('printEnvironment', () => {
  it('prints versions, machine and further facts, a line each, aligned', () => {
    const { lines, json } = printed(
      { '@lab/some-long-package': '1.2.3' },
      { lines: [['backend', 'wasm']], json: { backend: { name: 'wasm' } } },
    );
    expect(lines[0]).toBe('@lab/some-long-package 1.2.3\n');
    expect(lines).toContain(`${'node'.padEnd(22)} ${process.versions.node}\n`);
    expect(lines.join('')).toMatch(/memory +[\d.]+ [GM]B\n/);
    expect(lines.at(-1)).toBe(`${'backend'.padEnd(22)} wasm\n`);
    expect(json).toMatchObject({
      status: 'success',
      environment: {
        ...{ '@lab/some-long-package': '1.2.3', node: process.versions.node },
        backend: { name: 'wasm' },
      },
    });
  });

  it('needs no further facts', () => {
    const { lines } = printed({ '@lab/core': '1.0.0' });
    expect(lines[0]).toBe(`${'@lab/core'.padEnd(14)} 1.0.0\n`);
  });
});
