import { AttributeCollector } from './attribute-table.js';
import { IntList } from './int-list.js';
import type { AlignmentData } from './knowledge-graph.js';

type Parts = Pick<
  AlignmentData,
  | 'entityCount'
  | 'entityIds'
  | 'entityNames'
  | 'sides'
  | 'left'
  | 'right'
  | 'triples'
  | 'relationIds'
  | 'relationNames'
  | 'attributes'
>;

/**
 * Collects two graphs whose entities and relations are known by name; everything of KG1 comes
 * before `startRight()`, everything of KG2 after it.
 */
export class GraphBuilder {
  readonly #names: string[] = [];
  readonly #indices = [new Map<string, number>(), new Map<string, number>()] as const;
  readonly #relations = new Map<string, number>();
  readonly #heads = new IntList();
  readonly #relationOf = new IntList();
  readonly #tails = new IntList();
  readonly #attributes = new AttributeCollector();
  #side: 1 | 2 = 1;
  #leftEntities = 0;
  #leftTriples = 0;

  /** Ends KG1: from now on entities and triples belong to KG2. */
  startRight(): void {
    this.#side = 2;
    this.#leftEntities = this.#names.length;
    this.#leftTriples = this.#heads.length;
  }

  /** Triples of the current graph so far. */
  get tripleCount(): number {
    return this.#heads.length - (this.#side === 1 ? 0 : this.#leftTriples);
  }

  /** Entities of both graphs so far. */
  get entityCount(): number {
    return this.#names.length;
  }

  /** Dense index of a name in the current graph, added when it is new. */
  addEntity(name: string): number {
    const map = this.#indices[this.#side - 1] as Map<string, number>;
    const known = map.get(name);
    if (known !== undefined) return known;
    map.set(name, this.#names.length);
    this.#names.push(name);
    return this.#names.length - 1;
  }

  /** Dense index of a name in a graph, -1 when unknown. */
  indexOf(name: string, side: 1 | 2 = this.#side): number {
    return this.#indices[side - 1]?.get(name) ?? -1;
  }

  /** Side of a dense index. */
  sideOf(index: number): 1 | 2 {
    return this.#side === 1 || index < this.#leftEntities ? 1 : 2;
  }

  /** Adds a triple of the current graph; new entities and relations are added. */
  addTriple(head: string, relation: string, tail: string): void {
    let index = this.#relations.get(relation);
    if (index === undefined) {
      index = this.#relations.size;
      this.#relations.set(relation, index);
    }
    this.#heads.push(this.addEntity(head));
    this.#relationOf.push(index);
    this.#tails.push(this.addEntity(tail));
  }

  /** Notes that an entity of the current graph has an attribute. */
  addAttribute(entity: number, name: string): void {
    this.#attributes.add(entity, name);
  }

  /** Both graphs as typed arrays; ids are dense indices. */
  build(): Parts {
    const count = this.#names.length;
    const ids = Int32Array.from({ length: count }, (_, i) => i);
    return {
      entityCount: count,
      entityIds: ids,
      entityNames: this.#names,
      sides: new Uint8Array(count).fill(2).fill(1, 0, this.#leftEntities),
      left: ids.slice(0, this.#leftEntities),
      right: ids.slice(this.#leftEntities),
      triples: {
        heads: this.#heads.toArray(),
        relations: this.#relationOf.toArray(),
        tails: this.#tails.toArray(),
        leftCount: this.#leftTriples,
      },
      relationIds: Int32Array.from({ length: this.#relations.size }, (_, i) => i),
      relationNames: [...this.#relations.keys()],
      attributes: this.#attributes.bags(count),
    };
  }
}
