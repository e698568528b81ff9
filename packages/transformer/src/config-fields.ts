/**
 * Fields of a checkpoint's config.json, read with checks; each that was read is known.
 */
import { ModelError } from '@lab/core';

const MOST_LAYERS = 4096;
const MOST_SHOWN = 200;
const COPY_AGAIN = 'Copy config.json again from the folder that the weights came from.';

/** A value for a message: its JSON, cut where it is long. */
export function shownValue(value: unknown): string {
  let text: string;
  try {
    text = JSON.stringify(value) ?? 'none';
  } catch {
    // Deeper than the stack.
    return Array.isArray(value) ? 'a list' : 'an object';
  }
  return text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}...` : text;
}

/** Where fields stand, and what holds where they are left out. */
export interface FieldsOptions {
  /** Of the object in the file, '' for the whole, else with a final dot. */
  readonly path?: string;
  /** Values of fields that the file does not have; null in the file stays null. */
  readonly defaults?: Readonly<Record<string, unknown>>;
  /** What to do about a field that is wrong. */
  readonly help?: string;
}

/** Fields of config.json, or of an object in it. */
export class ConfigFields {
  private readonly path: string;
  private defaults: Readonly<Record<string, unknown>>;
  private readonly help: string;
  private readonly known = new Set<string>();
  private readonly inner: ConfigFields[] = [];

  /** @param file - for messages. */
  constructor(
    private readonly values: Readonly<Record<string, unknown>>,
    private readonly file: string,
    { path = '', defaults = {}, help = COPY_AGAIN }: FieldsOptions = {},
  ) {
    this.path = path;
    this.defaults = defaults;
    this.help = help;
  }

  private rawValue(name: string): unknown {
    this.known.add(name);
    const from = Object.hasOwn(this.values, name) ? this.values : this.defaults;
    return Object.hasOwn(from, name) ? (from[name] ?? undefined) : undefined;
  }

  /** An error about a field; `help` where copying the file again is none. */
  wrong(name: string, expected: string, help = this.help): ModelError {
    const got = shownValue(this.values[name]);
    return new ModelError(`${this.file}: ${this.path}${name} must be ${expected}, got ${got}.`, {
      help,
    });
  }

  /** A number, or null where the field is absent or null. */
  optionalNumber(name: string): number | null {
    const value = this.rawValue(name);
    if (value === undefined) return null;
    if (typeof value !== 'number' || !Number.isFinite(value)) throw this.wrong(name, 'a number');
    return value;
  }

  /** A number; the default where the field is absent or null. */
  number(name: string, fallback?: number): number {
    const value = this.optionalNumber(name) ?? fallback;
    if (value === undefined) throw this.wrong(name, 'a number');
    return value;
  }

  /** As {@link number}, above 0. */
  positive(name: string, fallback?: number): number {
    const value = this.number(name, fallback);
    if (value > 0) return value;
    throw this.wrong(name, 'a number above 0');
  }

  /** A whole number from 1 on; the default where the field is absent or null. */
  count(name: string, fallback?: number): number {
    const value = this.number(name, fallback);
    if (Number.isSafeInteger(value) && value > 0) return value;
    throw this.wrong(name, 'a whole number from 1 on');
  }

  /** As {@link count}, or null where the field is absent or null. */
  optionalCount(name: string): number | null {
    return this.optionalNumber(name) === null ? null : this.count(name);
  }

  /** A number of blocks: what is listed for each of them must fit memory. */
  layers(name: string, fallback?: number): number {
    const value = this.number(name, fallback);
    if (Number.isInteger(value) && value >= 1 && value <= MOST_LAYERS) return value;
    throw this.wrong(name, `a whole number from 1 to ${MOST_LAYERS}`);
  }

  boolean(name: string, fallback: boolean): boolean {
    const value = this.rawValue(name) ?? fallback;
    if (typeof value !== 'boolean') throw this.wrong(name, 'true or false');
    return value;
  }

  /** A text; the default where the field is absent or null. */
  text(name: string, fallback?: string): string {
    const value = this.rawValue(name) ?? fallback;
    if (typeof value !== 'string') throw this.wrong(name, 'a text');
    return value;
  }

  private listOf<T>(name: string, type: 'number' | 'string'): readonly T[] | null {
    const value = this.rawValue(name);
    if (value === undefined) return null;
    const isOwn = (one: unknown) =>
      typeof one === type && (typeof one !== 'number' || Number.isFinite(one));
    if (Array.isArray(value) && value.every(isOwn)) return value as T[];
    throw this.wrong(name, `a list of ${type}s`);
  }

  numbers(name: string): readonly number[] {
    const value = this.listOf<number>(name, 'number');
    if (value === null) throw this.wrong(name, 'a list of numbers');
    return value;
  }

  /** Texts, or null where the field is absent or null. */
  texts(name: string): readonly string[] | null {
    return this.listOf<string>(name, 'string');
  }

  /** Fields of an object, or null where it is absent or null. */
  object(name: string): ConfigFields | null {
    const value = this.rawValue(name);
    if (value === undefined) return null;
    if (typeof value !== 'object' || Array.isArray(value)) throw this.wrong(name, 'an object');
    const path = `${this.path}${name}.`;
    const { help } = this;
    const fields = new ConfigFields(value as Record<string, unknown>, this.file, { path, help });
    this.inner.push(fields);
    return fields;
  }

  /** Whether the object has no fields. */
  get isEmpty(): boolean {
    return Object.keys(this.values).length === 0;
  }

  has(name: string): boolean {
    return Object.hasOwn(this.values, name) && this.values[name] !== null;
  }

  /** Marks fields as known: they change no number of a forward pass. */
  ignore(...names: readonly string[]): void {
    for (const name of names) this.known.add(name);
  }

  /** Takes what the file has under another name of a field; both may be there, with one value. */
  alias(name: string, other: string): void {
    this.known.add(other);
    if (!this.has(other)) return;
    const value = this.values[other];
    if (this.has(name) && this.values[name] !== value) {
      throw this.wrong(other, `${shownValue(this.values[name])} as ${name}`);
    }
    this.defaults = { ...this.defaults, [name]: value };
  }

  /** Refuses a field unless it is absent or has one of these values. */
  only(name: string, ...values: readonly unknown[]): void {
    const value = this.rawValue(name);
    if (value === undefined || values.includes(value)) return;
    const shown = shownValue(value);
    throw new ModelError(`${this.file}: ${this.path}${name} ${shown} is not supported.`, {
      help: `Only ${values.map((one) => JSON.stringify(one)).join(', ')} is.`,
    });
  }

  /** Throws where a field has not been read, here or in an object; named with its place. */
  assertAllRead(): void {
    // A field that is null says no more than one that is absent.
    const unread = Object.keys(this.values).filter(
      (name) => !this.known.has(name) && this.values[name] !== null,
    );
    if (unread.length > 0) {
      throw new ModelError(
        `${this.file}: ${unread.map((name) => `${this.path}${name}`).join(', ')} is not known ` +
          'here, and might change the numbers.',
        { help: 'Take the field out where you know that it changes none, or report the model.' },
      );
    }
    for (const fields of this.inner) fields.assertAllRead();
  }
}
