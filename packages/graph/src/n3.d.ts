import 'n3'; // what these types describe

/** A node of an RDF statement. */
export interface Term {
  readonly termType: 'NamedNode' | 'BlankNode' | 'Literal' | 'DefaultGraph' | 'Quad';
  readonly value: string;
  /** Language tag of a literal, '' without. */
  readonly language?: string;
  readonly datatype?: { readonly value: string };
}

/** An RDF statement. */
export interface Quad {
  readonly subject: Term;
  readonly predicate: Term;
  readonly object: Term;
}

/** Parser of RDF texts; a faulty text throws an Error that names the line. */
export class Parser {
  constructor(options: { readonly format: string; readonly blankNodePrefix: string });
  parse(text: string): Quad[];
}
