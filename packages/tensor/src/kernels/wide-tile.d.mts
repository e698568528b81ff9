/** Product of packed panels: `(steps, a, b, c, rowLength, accumulate)`, addresses in bytes. */
export type Tile = (...values: number[]) => void;

export declare const TILE_BYTES: number;
export declare function named(bytes: Uint8Array): Uint8Array;
export declare function optimiseTile(tile: Tile, address: number, isWide: boolean): void;
