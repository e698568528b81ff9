import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { expect, test } from 'vitest';
import { llmeval2Datasets } from '../dataset-map.js';
import { builtInFamilies } from './built-in.js';
import { familyOf, loadFamilies } from './load-families.js';

const texts = {
  system: 'You compare translations.',
  roles: '{question} {answer1} {answer2} angles?',
  first: '{question} {answer1} {answer2} from {role}',
  deeper: '{answer1} {answer2} {own} {others} from {role}',
};

function loaded(content: unknown) {
  const path = join(temporaryFolder(), 'families.json');
  writeFileSync(path, JSON.stringify(content));
  return loadFamilies(path);
}

test('each data set of LLMEval^2 has a family that there is', () => {
  for (const { family } of Object.values(llmeval2Datasets)) familyOf(builtInFamilies, family);
  expect(builtInFamilies.size).toBe(9);
});

test('the dialogues of several turns have no question', () => {
  expect(builtInFamilies.get('multi-dialogue')!.first.slots).not.toContain('question');
  expect(builtInFamilies.get('code')!.closingMark).toBe('@');
});

test('own families stand beside those of the package', () => {
  const families = loaded({ translation: texts });
  expect(families.size).toBe(10);
  const filled = families.get('translation')!.first.fill({
    ...{ question: 'Q {role}', answer1: 'A', answer2: 'B', role: 'Fluency' },
  });
  expect(filled).toContain('<<<DATA question\nQ {role}\n');
  expect(filled).toMatch(/from Fluency$/);
});

test('a prompt that lacks a slot is an error that names it', () => {
  const { deeper } = texts;
  expect(() => loaded({ t: { ...texts, deeper: deeper.replace('{own}', '') } })).toThrow(
    /family "t": the prompt "deeper" lacks \{own\}/,
  );
  expect(() => loaded({ t: { ...texts, first: 'judge {answer1}' } })).toThrow(
    /lacks \{answer2\}, \{role\}/,
  );
});

test('fields that are none, and families that there are not, are errors', () => {
  expect(() => loaded({ t: { ...texts, sytem: 'x' } })).toThrow(/families.json/);
  expect(() => familyOf(builtInFamilies, 'sumary')).toThrow(/no family is called "sumary"/);
});
