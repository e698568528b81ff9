/**
 * A batch on its way through the blocks of a model, one at a time.
 */
import { tf } from '@lab/tensor';
import type { Model } from '@lab/transformer';
import type { GraftPlace } from './grafting.js';
import type { PromptBatch } from './hidden-states.js';

/** Goes on block by block, and keeps the residual of now and of a block before. */
export class BlockWalk {
  private state = -1;
  private residual: tf.Tensor3D | null = null;
  private before: tf.Tensor3D | null = null;

  constructor(
    private readonly model: Model,
    private readonly batch: Pick<PromptBatch, 'ids' | 'mask'>,
    private readonly signal: AbortSignal | undefined,
  ) {}

  /** Where it is; freed with the next step. */
  get place(): GraftPlace {
    return { residual: this.residual!, before: this.before };
  }

  /** Runs blocks up to a state that is not behind. */
  async to(state: number): Promise<void> {
    while (this.state < state) {
      const { ids, mask } = this.batch;
      const residual = this.residual ?? undefined;
      const next = await this.model.forward({
        ...{ ids, mask, residual, startBlock: Math.max(this.state, 0) },
        ...{ stopBlock: this.state + 1, logits: 'none', signal: this.signal },
      });
      this.before?.dispose();
      this.before = this.residual;
      this.residual = next.residual;
      this.state += 1;
    }
  }

  dispose(): void {
    tf.dispose([this.residual, this.before].filter((one) => one !== null));
  }
}
