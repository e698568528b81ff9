import type { CsrTensors, tf } from '@lab/tensor';

/** What the model reads, on the tensor backend. */
export interface ModelInputs {
  readonly entityCount: number;
  /** Undirected neighbour pattern with self loops, `[N, N]`. */
  readonly neighbours: CsrTensors;
  /** Image vectors, L2 rows, `[N, D_v]`. */
  readonly image: tf.Tensor2D | null;
  /** With `data.missingImages: mask`: 1 where an entity has an image, `[N]`. */
  readonly imagePresent?: Uint8Array | null;
  /** Relation counts, `[N, F_r]`. */
  readonly relation: CsrTensors | null;
  /** Attribute indicators, `[N, F_a]`. */
  readonly attribute: CsrTensors | null;
  dispose(): void;
}
