/** A resolve hook of Node: every import also meets the condition `@lab/source`. */
export function resolve(specifier, context, nextResolve) {
  const conditions = [...new Set([...(context.conditions ?? []), '@lab/source'])];
  return nextResolve(specifier, { ...context, conditions });
}
