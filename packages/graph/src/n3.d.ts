/** The part of n3 that is used; the package ships no types of its own. */
declare module 'n3' {
  interface Term {
    readonly termType: 'NamedNode' | 'BlankNode' | 'Literal' | 'DefaultGraph' | 'Quad';
    readonly value: string;
    /** Language tag of a literal, '' without. */
    readonly language?: string;
    readonly datatype?: { readonly value: string };
  }

  interface Quad {
    readonly subject: Term;
    readonly predicate: Term;
    readonly object: Term;
  }

  class Parser {
    constructor(options: { readonly format: string; readonly blankNodePrefix: string });
    parse(text: string): Quad[];
  }
}
