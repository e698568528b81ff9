/**
 * Answers in a database of SQLite, where Node has it built in.
 */
import { dirname } from 'node:path';
import { ConfigError, makeFolder } from '@lab/core';
import type { AnswerStore, StoredAnswer } from '../answer-cache.js';
import { diskProblem } from '../disk-problem.js';

/** What is used of `node:sqlite`, whose types come with Node 22. */
interface Database {
  exec(sql: string): void;
  prepare(sql: string): Statement;
  close(): void;
}

interface Statement {
  get(...values: string[]): { readonly answer?: string } | undefined;
  run(...values: string[]): unknown;
  iterate(): Iterable<{ readonly answer: string }>;
}

const schema = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA busy_timeout = 10000;
  CREATE TABLE IF NOT EXISTS answers (hash TEXT PRIMARY KEY, answer TEXT NOT NULL)`;

/**
 * A store in one file of SQLite, for whoever wants to ask it by SQL. Slower than a folder of
 * segments, and not for file systems of a network, as its write-ahead log does not work there.
 *
 * @param path - of the file, which is made; `:memory:` is none.
 * @throws {ConfigError} where Node has no `node:sqlite` (before 22.13).
 * @throws {DataError} when the file cannot be opened, or an answer cannot be written.
 */
export async function openSqliteStore(path: string): Promise<AnswerStore> {
  const open = await loadSqlite();
  if (path !== ':memory:') makeFolder(dirname(path));
  return keeping(path, () => {
    const database = open(path);
    database.exec(schema);
    return new SqliteStore(path, database);
  });
}

class SqliteStore implements AnswerStore {
  readonly #path: string;
  readonly #database: Database;
  readonly #get: Statement;
  readonly #has: Statement;
  readonly #put: Statement;

  constructor(path: string, database: Database) {
    this.#path = path;
    this.#database = database;
    this.#get = database.prepare('SELECT answer FROM answers WHERE hash = ?');
    this.#has = database.prepare('SELECT 1 FROM answers WHERE hash = ?');
    this.#put = database.prepare('INSERT OR REPLACE INTO answers (hash, answer) VALUES (?, ?)');
  }

  has(hash: string): boolean {
    return this.#has.get(hash) !== undefined;
  }

  async get(hash: string): Promise<StoredAnswer | undefined> {
    const text = this.#get.get(hash)?.answer;
    return text === undefined ? undefined : (JSON.parse(text) as StoredAnswer);
  }

  async put(answer: StoredAnswer): Promise<void> {
    keeping(this.#path, () => this.#put.run(answer.hash, JSON.stringify(answer)));
  }

  async *iterate(): AsyncIterable<StoredAnswer> {
    const all = this.#database.prepare('SELECT answer FROM answers ORDER BY rowid');
    for (const { answer } of all.iterate()) yield JSON.parse(answer) as StoredAnswer;
  }

  async close(): Promise<void> {
    this.#database.close();
  }
}

/** Turns errors of the database into those of files. */
function keeping<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw diskProblem(path, cause);
  }
}

async function loadSqlite(): Promise<(path: string) => Database> {
  // As a variable, since the compiler and older Nodes know no such module.
  const name = 'node:sqlite';
  try {
    const { DatabaseSync } = (await import(name)) as {
      readonly DatabaseSync: new (path: string) => Database;
    };
    return (path) => new DatabaseSync(path);
  } catch (cause) {
    throw new ConfigError('llm/cache: this Node has no SQLite.', {
      help: 'run Node 22.13 or newer, or keep answers in a folder (openAnswerStore).',
      cause,
    });
  }
}
