const marker = Symbol.for('lab.error');

/** What every {@link LabError} can be given besides its message. */
export interface LabErrorOptions {
  /** Stable name of the kind, e.g. `LAB_DATA`. */
  readonly code?: string | undefined;
  /** What the user can do about it: one sentence. */
  readonly help?: string | undefined;
  /** Plain data for programs. */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
  readonly cause?: unknown;
}

/**
 * The error of the house: message (where, what with numbers), `help` (what to do), `code` and
 * `details` as plain data. Recognise it with {@link LabError.is}, which also works when a package
 * is installed twice.
 */
export class LabError extends Error {
  readonly code: string;
  declare readonly help?: string;
  readonly details: Record<string, unknown>;

  constructor(message: string, options: LabErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = options.code ?? 'LAB_ERROR';
    if (options.help !== undefined) this.help = options.help;
    this.details = { ...options.details };
    Object.defineProperty(this, marker, { value: true, enumerable: false });
  }

  /** Whether `value` is a LabError of this or of another copy of the package. */
  static is(value: unknown): value is LabError {
    return typeof value === 'object' && value !== null && marker in value;
  }
}

function withCode(code: string, options: LabErrorOptions): LabErrorOptions {
  return { ...options, code: options.code ?? code };
}

/** A wrong option, preset, mode, flag or command (`LAB_CONFIG`, exit code 2). */
export class ConfigError extends LabError {
  constructor(message: string, options: LabErrorOptions = {}) {
    super(message, withCode('LAB_CONFIG', options));
  }
}

/** Where in the data a {@link DataError} happened. */
export interface DataErrorOptions extends LabErrorOptions {
  readonly file?: string | undefined;
  /** Line in the file, from 1. */
  readonly line?: number | undefined;
  /** Column in the line, from 1, in UTF-16 units. */
  readonly column?: number | undefined;
  /** The text of the line. */
  readonly text?: string | undefined;
  /** Name of the field or option. */
  readonly field?: string | undefined;
}

const placeKeys = ['file', 'line', 'column', 'text', 'field'] as const;

/** A file that is missing, damaged or says something impossible (`LAB_DATA`, exit code 3). */
export class DataError extends LabError {
  declare readonly file?: string;
  declare readonly line?: number;
  declare readonly column?: number;
  declare readonly text?: string;
  declare readonly field?: string;

  constructor(message: string, options: DataErrorOptions = {}) {
    const place: Record<string, unknown> = {};
    for (const key of placeKeys) if (options[key] !== undefined) place[key] = options[key];
    super(message, {
      ...withCode('LAB_DATA', options),
      details: { ...place, ...options.details },
    });
    Object.assign(this, place);
  }
}

/** What a {@link ShapeError} compares. */
export interface ShapeErrorOptions extends LabErrorOptions {
  readonly expected?: unknown;
  readonly got?: unknown;
}

/** An array or tensor of the wrong shape or type (`LAB_SHAPE`, exit code 4). */
export class ShapeError extends LabError {
  declare readonly expected?: unknown;
  declare readonly got?: unknown;

  constructor(message: string, options: ShapeErrorOptions = {}) {
    const { expected, got } = options;
    super(message, {
      ...withCode('LAB_SHAPE', options),
      details: {
        ...(expected === undefined ? {} : { expected }),
        ...(got === undefined ? {} : { got }),
        ...options.details,
      },
    });
    if (expected !== undefined) this.expected = expected;
    if (got !== undefined) this.got = got;
  }
}

/** A model that cannot be built, loaded or trained, e.g. a NaN loss (`LAB_MODEL`, exit code 4). */
export class ModelError extends LabError {
  constructor(message: string, options: LabErrorOptions = {}) {
    super(message, withCode('LAB_MODEL', options));
  }
}

/** A compute backend that is absent or too small for the work (`LAB_BACKEND`, exit code 4). */
export class BackendError extends LabError {
  constructor(message: string, options: LabErrorOptions = {}) {
    super(message, withCode('LAB_BACKEND', options));
  }
}

/** A language-model server that failed or refused (`LAB_LLM`, exit code 5). */
export class LlmError extends LabError {
  constructor(message: string, options: LabErrorOptions = {}) {
    super(message, withCode('LAB_LLM', options));
  }
}

/** A budget of calls, tokens or money that is used up; resume later (`LAB_BUDGET`, exit code 6). */
export class BudgetError extends LabError {
  constructor(message: string, options: LabErrorOptions = {}) {
    super(message, withCode('LAB_BUDGET', options));
  }
}

/** Work that was stopped from outside and saved (`LAB_INTERRUPTED`, exit code 130). */
export class InterruptedError extends LabError {
  constructor(message: string, options: LabErrorOptions = {}) {
    super(message, withCode('LAB_INTERRUPTED', options));
  }
}

/** Exit codes that a command gives back where its result is printed and nothing is thrown. */
export const exitCodes = { tooManyFailed: 7, belowThreshold: 8 } as const;

const codesOfErrors: Readonly<Record<string, number>> = {
  LAB_CONFIG: 2,
  LAB_DATA: 3,
  LAB_SHAPE: 4,
  LAB_MODEL: 4,
  LAB_BACKEND: 4,
  LAB_LLM: 5,
  LAB_BUDGET: 6,
  LAB_FAILED_ROWS: exitCodes.tooManyFailed,
  LAB_GATE: exitCodes.belowThreshold,
  LAB_INTERRUPTED: 130,
};

/**
 * The exit code of a process that ends with this error: 2 configuration, 3 data, 4 model, shape or
 * backend, 5 language-model server, 6 budget, 7 too many rows failed, 8 a metric below its
 * threshold, 130 interrupted, 1 everything else.
 */
export function exitCodeOf(error: unknown): number {
  if (!LabError.is(error)) return 1;
  return codesOfErrors[error.code] ?? 1;
}
