/** An element of XML, for tests. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  /** Its own text, joined. */
  readonly text: string;
}

const declaration = '<?xml version="1.0" encoding="UTF-8"?>';
/** What XML 1.0 allows, production 2. */
const legal = /^[\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u;
const entities: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
};
const token = /<(\/?)([a-z-]+)((?: [a-z]+="[^"<]*")*)(\/?)>|([^<]+)/gy;

/**
 * The root of a document without comments, CDATA and instructions.
 *
 * @throws {Error} for anything that is not well-formed.
 */
export function parseXml(document: string): XmlElement {
  if (!document.startsWith(declaration)) throw new Error('no XML declaration');
  if (!legal.test(document)) throw new Error('a character that XML does not know');
  // Section 2.11: line ends reach the reader as line feeds.
  const source = document.slice(declaration.length).trim().replaceAll(/\r\n?/g, '\n');
  const root = open('', {});
  const stack = [root];
  token.lastIndex = 0;
  while (token.lastIndex < source.length) {
    const at = token.lastIndex;
    const found = token.exec(source);
    if (found === null) throw new Error(`not well-formed at ${source.slice(at, at + 60)}`);
    const [, isEnd, name = '', attributes = '', isEmpty, text] = found;
    const top = stack.at(-1)!;
    if (text !== undefined) top.text += decode(text);
    else if (isEnd === '/') {
      if (top.name !== name || attributes !== '') throw new Error(`</${name}> ends ${top.name}`);
      stack.pop();
    } else {
      const element = open(name, readAttributes(attributes));
      top.children.push(element);
      if (isEmpty === '') stack.push(element);
    }
  }
  const [only, ...others] = root.children;
  if (stack.length !== 1 || only === undefined || others.length > 0) throw new Error('no one root');
  return only;
}

type OpenElement = { -readonly [Key in keyof XmlElement]: XmlElement[Key] } & {
  readonly children: OpenElement[];
};

const open = (name: string, attributes: Record<string, string>): OpenElement => ({
  ...{ name, attributes, text: '' },
  children: [] as OpenElement[],
});

function readAttributes(text: string): Record<string, string> {
  const found = [...text.matchAll(/ ([a-z]+)="([^"]*)"/g)].map(([, name = '', value = '']) => {
    // Section 3.3.3: bare white space in an attribute is read as spaces.
    return [name, decode(value.replaceAll(/[\t\n]/g, ' '))] as const;
  });
  if (new Set(found.map(([name]) => name)).size < found.length) throw new Error('twice the same');
  return Object.fromEntries(found);
}

function decode(text: string): string {
  return text.replaceAll(/&(?:#(\d+)|([a-z]*));?/g, (whole, code?: string, name?: string) => {
    if (!whole.endsWith(';')) throw new Error(`a bare ${whole}`);
    if (code !== undefined) return String.fromCodePoint(Number(code));
    const character = entities[name ?? ''];
    if (character === undefined) throw new Error(`no such entity: ${whole}`);
    return character;
  });
}
