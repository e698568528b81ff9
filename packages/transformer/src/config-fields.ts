/**
 * Fields of a checkpoint's config.json, read with checks; each that was read is known.
 */
import { ModelError } from '@lab/core';

const MOST_LAYERS = 4096;

/** Fields of config.json, or of an object in it. */
export class ConfigFields {
  private readonly known = new Set<string>();
  private readonly inner: ConfigFields[] = [];

  /**
   * @param file - for messages.
   * @param path - of the object in the file, '' for the whole, else with a final dot.
   */
  constructor(
    private readonly values: Readonly<Record<string, unknown>>,
    private readonly file: string,
    private readonly path = '',
  ) {}

  private rawValue(name: string): unknown {
    this.known.add(name);
    return Object.hasOwn(this.values, name) ? (this.values[name] ?? undefined) : undefined;
  }

  /** An error about a field. */
  wrong(name: string, expected: string): ModelError {
    const got = JSON.stringify(this.values[name]) ?? 'none';
    return new ModelError(`${this.file}: ${this.path}${name} must be ${expected}, got ${got}.`, {
      help: 'Copy config.json again from the folder that the weights came from.',
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
    if (Array.isArray(value) && value.every((one) => typeof one === type)) return value as T[];
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
    const fields = new ConfigFields(value as Record<string, unknown>, this.file, path);
    this.inner.push(fields);
    return fields;
  }

  has(name: string): boolean {
    return Object.hasOwn(this.values, name) && this.values[name] !== null;
  }

  /** Marks fields as known: they change no number of a forward pass. */
  ignore(...names: readonly string[]): void {
    for (const name of names) this.known.add(name);
  }

  /** Refuses a field unless it is absent or has one of these values. */
  only(name: string, ...values: readonly unknown[]): void {
    const value = this.rawValue(name);
    if (value === undefined || values.includes(value)) return;
    const shown = JSON.stringify(value);
    throw new ModelError(`${this.file}: ${this.path}${name} ${shown} is not supported.`, {
      help: `Only ${values.map((one) => JSON.stringify(one)).join(', ')} is.`,
    });
  }

  /** Throws where a field has not been read, here or in an object; named with its place. */
  assertAllRead(): void {
    const unread = Object.keys(this.values).filter((name) => !this.known.has(name));
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
