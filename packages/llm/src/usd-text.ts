/** Money for people: `n/a` where no price is known. */
export function usdText(usd: number | null): string {
  if (usd === null) return 'n/a';
  return `${usd.toFixed(usd < 1 ? 4 : 2)} USD`;
}
