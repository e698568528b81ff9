/** Marks the name of a Python function or class that a pickle asks for; nothing is imported. */
export class GlobalName {
  constructor(
    readonly module: string,
    readonly attribute: string,
  ) {}

  toString(): string {
    return `${this.module}.${this.attribute}`;
  }
}

/** Tuples are frozen arrays, lists are not. */
export function makeTuple(items: unknown[]): readonly unknown[] {
  return Object.freeze(items);
}

/** Whether a value is a tuple, and so may be the key of a dict. */
export function isTuple(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && Object.isFrozen(value);
}

/** Whether a value is a list that is still being filled. */
export function isList(value: unknown): value is unknown[] {
  return Array.isArray(value) && !Object.isFrozen(value);
}
