/**
 * A task family: what is judged, in words, as four prompts.
 */
import { ConfigError } from '@lab/core';
import { type ChatMessage, parsePrompt, type PromptTemplate } from '@lab/llm';

/** The prompts of a family. */
export interface Family {
  readonly name: string;
  /** Who the judge is. */
  readonly system: string;
  /** Asks for as many angles as are useful. */
  readonly roles: PromptTemplate;
  /** Asks for the two most important angles. */
  readonly limitedRoles: PromptTemplate;
  /** Asks a judge of the first layer; slots question, answer1, answer2 and role. */
  readonly first: PromptTemplate;
  /** Asks a judge of a deeper layer; besides these, own and others. */
  readonly deeper: PromptTemplate;
  /** Closes the name of an angle; another character where `&` occurs in the texts. */
  readonly closingMark: '&' | '@';
  /** Everything above as one text, for the record of a run. */
  readonly text: string;
}

/** The texts of a family, as a file of families holds them. */
export interface FamilyTexts {
  readonly system: string;
  readonly roles: string;
  readonly limitedRoles: string;
  readonly first: string;
  readonly deeper: string;
  readonly closingMark?: '&' | '@' | undefined;
}

const sampleSlots = ['answer1', 'answer2'] as const;
/** The slots that each prompt must have; `question` may be left out, as some tasks have none. */
const neededSlots: Readonly<Record<string, readonly string[]>> = {
  roles: sampleSlots,
  limitedRoles: sampleSlots,
  first: [...sampleSlots, 'role'],
  deeper: [...sampleSlots, 'role', 'own', 'others'],
};
const slotNames = ['question', 'answer1', 'answer2', 'role', 'own', 'others'];
const slotPattern = new RegExp(`\\{(${slotNames.join('|')})\\}`, 'g');

/**
 * A family from its texts, in which `{question}`, `{answer1}`, `{answer2}`, `{role}`, `{own}` and
 * `{others}` are slots. All but the role go between marks that no text can close.
 *
 * @throws {ConfigError} for a prompt that lacks a slot.
 */
export function createFamily(name: string, texts: FamilyTexts): Family {
  const template = (prompt: 'deeper' | 'first' | 'limitedRoles' | 'roles'): PromptTemplate => {
    const text = texts[prompt];
    const found = new Set([...text.matchAll(slotPattern)].map(([, slot]) => slot));
    const missing = (neededSlots[prompt] ?? []).filter((slot) => !found.has(slot));
    if (missing.length > 0) {
      throw new ConfigError(
        `family ${JSON.stringify(name)}: the prompt "${prompt}" lacks ` +
          `${missing.map((slot) => `{${slot}}`).join(', ')}.`,
        { help: 'put each slot where its text belongs.' },
      );
    }
    const slots = text.replace(slotPattern, (_, slot: string) =>
      slot === 'role' ? '{{role}}' : `{{${slot}|block}}`,
    );
    return parsePrompt(slots, `family ${name}, prompt ${prompt}`);
  };
  return {
    name,
    system: texts.system,
    roles: template('roles'),
    limitedRoles: template('limitedRoles'),
    first: template('first'),
    deeper: template('deeper'),
    closingMark: texts.closingMark ?? '&',
    text: JSON.stringify(texts),
  };
}

/**
 * What a model is told: who it is, then what it is to do.
 *
 * @param as - `message`: who it is as a system message; `prompt`: at the head of the one message.
 */
export function messagesOf(
  { system }: Pick<Family, 'system'>,
  content: string,
  as: 'message' | 'prompt',
): readonly ChatMessage[] {
  if (as === 'prompt') return [{ role: 'user', content: `${system}\n\n${content}` }];
  return [
    { role: 'system', content: system },
    { role: 'user', content },
  ];
}
