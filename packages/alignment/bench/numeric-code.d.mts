/** Files and folders, from the root, that decide the numbers of a training. */
export const sharedNumericCode: readonly string[];
/** Files and folders, from the root, that a training imports and that decide none. */
export const sharedOtherCode: readonly string[];
