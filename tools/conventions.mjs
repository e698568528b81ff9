import { basename } from 'node:path';

const vagueNames = /^(utils?|helpers?|common|misc|types?)(\.test)?\.(ts|mjs)$/;

/** Rules on the text of one source file: `[what it may not hold, pattern]`. */
const textRules = [
  ['export *', /^export \* from/m],
  ['a note to do something later', /\b(?:TO-?DO|FIX-?ME|X{3})\b/],
  ['a switched-off type check', /@ts-(?:ignore|nocheck|expect-error)/],
  ['a switched-off lint rule', /(?:oxlint|eslint)-disable/],
  ['an exclusive or unconditionally skipped test', /\b(?:it|test|describe)\.(?:only|skip|todo)\(/],
  ['a path outside the repository', /['"`(\s]\/(?:work|home|Users)\//],
];

/** What a source file breaks of the conventions that lint cannot see, each one text. */
export function conventionProblems(path, text) {
  const problems = textRules
    .filter(([, pattern]) => pattern.test(text))
    .map(([what]) => `holds ${what}`);
  if (vagueNames.test(basename(path))) problems.push('has a vague name');
  if (!/^[a-z0-9]+([-.][a-z0-9]+)*(\.test)?(-d)?\.(ts|mjs)$/.test(basename(path))) {
    problems.push('is not named in kebab-case');
  }
  text.split('\n').forEach((line, index) => {
    if (line.length > 100) problems.push(`line ${index + 1} has ${line.length} characters`);
  });
  return problems;
}

/** The state of each package in the root README: `{ name: 'planned' | 'here' }`. */
export function readmeStates(readme) {
  const rows = readme.matchAll(/^\| \[?`@lab\/([\w-]+)`\]?(?:\([^)]*\))?( \(planned\))? \|/gm);
  return Object.fromEntries(
    [...rows].map(([, name, planned]) => [name, planned ? 'planned' : 'here']),
  );
}

/** The relative links of a Markdown document, without anchors. */
export function relativeLinks(markdown) {
  const prose = markdown.replace(/```[\s\S]*?```/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target]) => target.split('#')[0])
    .filter((target) => target !== '' && !/^[a-z]+:/.test(target));
}
