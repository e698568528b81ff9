/**
 * Keeps keys and passwords out of everything that is shown or kept.
 */

/** Takes secrets out of a text. */
export type Redactor = (text: string) => string;

const mark = '[redacted]';

/** Characters of an answer that a failure keeps. */
const MAX_BODY_CHARACTERS = 2048;

/** What looks like a secret, whoever's it is. */
const patterns: readonly (readonly [RegExp, string])[] = [
  [/(\b[a-z][a-z0-9+.-]{1,20}:\/\/)[^\s/@"']{1,500}@/gi, `$1${mark}@`],
  [/\b(bearer|basic)\s{1,4}[\w.~+/=-]{8,}/gi, `$1 ${mark}`],
  [/\b(?:sk|gsk|hf|xai|rk|pk)[-_][\w-]{12,}/g, mark],
  [
    /((?:api[-_]?key|access[-_]?token|authorization)["']?\s{0,4}[:=]\s{0,4}["']?)[\w.~+/=-]{8,}/gi,
    `$1${mark}`,
  ],
];

/**
 * A function that takes the given secrets, and all that looks like one, out of texts.
 *
 * @param secrets - keys and passwords; those under four characters are left in.
 */
export function createRedactor(secrets: readonly string[]): Redactor {
  const known = secrets.flatMap(formsOf).filter((secret) => secret.length >= 4);
  known.sort((a, b) => b.length - a.length);
  return (text) => {
    let clean = text;
    for (const secret of known) {
      if (clean.includes(secret)) clean = clean.replaceAll(secret, mark);
    }
    for (const [pattern, replacement] of patterns) clean = clean.replace(pattern, replacement);
    return clean;
  };
}

/** A secret as it stands in a text, in a URL and in JSON. */
function formsOf(secret: string): string[] {
  const quoted = JSON.stringify(secret).slice(1, -1);
  return [...new Set([secret, encodeURIComponent(secret), quoted])];
}

/** A body as failures keep it: without secrets and at most 2 KB long. */
export function keptBody(text: string, redact: Redactor): string {
  // Cut twice: a secret on the border would otherwise lose its end and not be seen as one.
  const clean = redact(text.slice(0, 4 * MAX_BODY_CHARACTERS));
  return clean.length <= MAX_BODY_CHARACTERS ? clean : `${clean.slice(0, MAX_BODY_CHARACTERS)}...`;
}

/** The address of a server, split into what may be shown and what may not. */
export interface ServerAddress {
  /** Without credentials, query and trailing slash. */
  readonly url: string;
  readonly origin: string;
  /** Path without a trailing slash, e.g. `/v1`. */
  readonly path: string;
  /** `user:password`, where the address held them. */
  readonly credentials: string | null;
  /** With its question mark, or empty. */
  readonly query: string;
  readonly isLoopback: boolean;
}

/**
 * The parts of a base URL, or null when it is none.
 *
 * @param text - e.g. `http://localhost:8000/v1`.
 */
export function parseAddress(text: string): ServerAddress | null {
  if (!URL.canParse(text)) return null;
  const { protocol, origin, pathname, username, password, hostname, search } = new URL(text);
  if (protocol !== 'http:' && protocol !== 'https:') return null;
  const path = pathname.replace(/\/+$/, '');
  const credentials =
    username === '' && password === ''
      ? null
      : `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const isLoopback = /^(localhost|.*\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
  return { url: `${origin}${path}`, origin, path, credentials, query: search, isLoopback };
}
