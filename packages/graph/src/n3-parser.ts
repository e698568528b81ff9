import { createRequire } from 'node:module';

/** A node of an RDF statement, as n3 gives it. */
export interface Term {
  readonly termType: 'NamedNode' | 'BlankNode' | 'Literal' | 'DefaultGraph' | 'Quad';
  readonly value: string;
  /** Language tag of a literal, '' without. */
  readonly language?: string;
  readonly datatype?: { readonly value: string };
}

/** An RDF statement, as n3 gives it. */
export interface Quad {
  readonly subject: Term;
  readonly predicate: Term;
  readonly object: Term;
}

/** The part of n3 that is used; the package has no types of its own. */
interface N3 {
  readonly Parser: new (options: {
    readonly format: string;
    readonly blankNodePrefix: string;
  }) => { parse(text: string): Quad[] };
}

let n3: N3 | undefined;

/**
 * The statements of a text in N-Triples; blank nodes keep their labels.
 *
 * @throws {Error} of n3, with the line within the text, when it does not parse.
 */
export function parseStatements(text: string): Quad[] {
  n3 ??= createRequire(import.meta.url)('n3') as N3; // on first use: other readers need no RDF
  return new n3.Parser({ format: 'N-Triples', blankNodePrefix: '_:' }).parse(text);
}
