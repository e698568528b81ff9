/** Files and folders, from the root, that decide the numbers of a training. */
export const numericCode: readonly string[];
/** Files and folders, from the root, that a training imports and that decide none. */
export const otherCode: readonly string[];
