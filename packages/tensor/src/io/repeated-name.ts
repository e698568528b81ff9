/** A text, with the colon behind it where it is a name; or a bracket. */
const tokens = /"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?|[{}[\]]/gs;

/**
 * The first name that an object of a JSON text has twice: `JSON.parse` keeps the last and says
 * nothing.
 *
 * @param json - a text that `JSON.parse` accepts.
 */
export function repeatedName(json: string): string | null {
  const open: Set<string>[] = [];
  for (const [token, colon] of json.matchAll(tokens)) {
    if (token === '{' || token === '[') open.push(new Set());
    else if (token === '}' || token === ']') open.pop();
    else if (colon !== undefined) {
      const name = JSON.parse(token.slice(0, token.length - colon.length)) as string;
      const names = open.at(-1);
      if (names?.has(name) === true) return name;
      names?.add(name);
    }
  }
  return null;
}
