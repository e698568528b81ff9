/**
 * Keys and values of one text, kept from pass to pass.
 */
import { createKeyValueCache, type KeyValueCache, type KeyValueCacheOptions } from '@lab/tensor';

/** Keys and values of all blocks of one text. */
export class RowCache {
  /** Tokens of the text whose keys and values are there, in every block. */
  length = 0;
  private readonly blocks = new Map<number, KeyValueCache>();

  /** Bytes that are taken. */
  get sizeBytes(): number {
    let bytes = 0;
    for (const { sizeBytes } of this.blocks.values()) bytes += sizeBytes;
    return bytes;
  }

  /** The cache of a block; an empty one of those sizes where there is none yet. */
  block(block: number, sizes: KeyValueCacheOptions): KeyValueCache {
    const cache = this.blocks.get(block) ?? createKeyValueCache(sizes);
    this.blocks.set(block, cache);
    return cache;
  }

  /** Another that holds the same. */
  clone(): RowCache {
    const copy = new RowCache();
    copy.length = this.length;
    for (const [block, cache] of this.blocks) copy.blocks.set(block, cache.clone());
    return copy;
  }

  /** Forgets all tokens. */
  clear(): void {
    for (const cache of this.blocks.values()) cache.dispose();
    this.blocks.clear();
    this.length = 0;
  }
}
