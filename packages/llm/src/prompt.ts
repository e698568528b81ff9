/**
 * Prompts with named slots.
 */
import { ConfigError, DataError, nearest } from '@lab/core';
import { readText } from './text-file.js';

/** A prompt with named slots. */
export interface PromptTemplate {
  /** Names of its slots, each once, in their order. */
  readonly slots: readonly string[];
  /**
   * The text with its slots filled. Values are put in as they are: slots inside them are not
   * filled.
   *
   * @throws {DataError} when a slot has no value, with its name.
   */
  fill(values: Readonly<Record<string, unknown>>): string;
}

/** What stands between two texts of a template. */
interface Slot {
  readonly name: string;
  /** Whether the value is put between marks, as text that nobody vouches for. */
  readonly isBlock: boolean;
}

const slotPattern = /\{\{\s*([A-Za-z_][\w.-]*)\s*(\|\s*block\s*)?\}\}/g;
const nearMiss = /\{\{[^{}]*\}\}/;

/**
 * A template from its text. `{{name}}` stands for a value as it is; `{{name|block}}` for text from
 * outside, e.g. a document: it is put between marks that do not occur in it, so that nothing in it
 * can pass for the end of the data.
 *
 * @param name - what errors call it.
 * @throws {ConfigError} for braces that are no slot.
 */
export function parsePrompt(text: string, name = 'the prompt'): PromptTemplate {
  const texts: string[] = [];
  const slots: Slot[] = [];
  let at = 0;
  for (const found of text.matchAll(slotPattern)) {
    texts.push(text.slice(at, found.index));
    slots.push({ name: found[1] ?? '', isBlock: found[2] !== undefined });
    at = found.index + found[0].length;
  }
  texts.push(text.slice(at));
  const wrong = nearMiss.exec(texts.join('\n'));
  if (wrong !== null) {
    throw new ConfigError(`${name}: ${JSON.stringify(wrong[0])} is no slot.`, {
      help: 'write {{name}} or {{name|block}}; a name is letters, digits, ".", "_" and "-".',
    });
  }
  return {
    slots: [...new Set(slots.map((slot) => slot.name))],
    fill(values) {
      let filled = texts[0] ?? '';
      for (const [index, slot] of slots.entries()) {
        const value = valueOf(values, slot.name, name);
        filled += (slot.isBlock ? dataBlock(slot.name, value) : value) + (texts[index + 1] ?? '');
      }
      return filled;
    },
  };
}

/**
 * The template in a file; a line feed at its end is not part of it.
 *
 * @throws {DataError} when it cannot be read.
 */
export function readPrompt(path: string): PromptTemplate & { readonly text: string } {
  const trimmed = readText(path, 'the prompt')
    .replace(/^\ufeff/, '')
    .replace(/\r?\n$/, '');
  return { ...parsePrompt(trimmed, path), text: trimmed };
}

/**
 * Text from outside between marks. Where the text holds the mark, the mark gets longer; equal texts
 * give equal blocks.
 */
export function dataBlock(name: string, text: string): string {
  let mark = `DATA ${name}`;
  while (text.includes(`<<<${mark}`) || text.includes(`${mark}>>>`)) mark = `#${mark}`;
  return `<<<${mark}\n${text}\n${mark}>>>`;
}

function valueOf(values: Readonly<Record<string, unknown>>, slot: string, name: string): string {
  const value = Object.hasOwn(values, slot) ? values[slot] : undefined;
  if (typeof value === 'string') return value;
  if (value === undefined || value === null) throw missing(values, slot, name);
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function missing(values: Readonly<Record<string, unknown>>, slot: string, name: string): DataError {
  const id = typeof values['id'] === 'string' ? ` in row ${JSON.stringify(values['id'])}` : '';
  const close = nearest(slot, Object.keys(values));
  return new DataError(`${name}: the slot {{${slot}}} has no value${id}.`, {
    field: slot,
    help:
      close === undefined
        ? `give the rows a field "${slot}".`
        : `did you mean {{${close}}}? The rows have it.`,
  });
}
