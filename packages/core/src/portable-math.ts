const ln2High = 6.9314718036912381649e-1;
const ln2Low = 1.90821492927058770002e-10;
const view = new DataView(new ArrayBuffer(8));

/**
 * The natural logarithm from basic arithmetic alone, hence the same bits on every platform, which
 * `Math.log` does not promise. Within 1e-15 relative for positive normal numbers.
 *
 * `log x = k log 2 + 2 atanh((m - 1) / (m + 1))`, x = m 2^k, m in [sqrt(1/2), sqrt(2)).
 *
 * @param x - positive, finite, not subnormal.
 */
export function portableLog(x: number): number {
  view.setFloat64(0, x);
  const high = view.getUint32(0);
  let exponent = (high >>> 20) - 1023;
  view.setUint32(0, (high & 0xfffff) | 0x3ff00000);
  let mantissa = view.getFloat64(0);
  if (mantissa > Math.SQRT2) {
    mantissa /= 2;
    exponent += 1;
  }
  const s = (mantissa - 1) / (mantissa + 1);
  const square = s * s;
  let sum = 0;
  for (let k = 21; k >= 3; k -= 2) sum = square * (1 / k + sum);
  return exponent * ln2High + (exponent * ln2Low + 2 * (s + s * sum));
}

/**
 * The exponential from basic arithmetic alone, hence the same bits on every platform. Within 1e-15
 * relative; 0 below -700, error-free up to 700.
 *
 * @param x - finite, at most 700.
 */
export function portableExp(x: number): number {
  if (x < -700) return 0;
  const k = Math.round(x / Math.LN2);
  const r = x - k * ln2High - k * ln2Low;
  let sum = 1;
  for (let n = 14; n >= 1; n -= 1) sum = 1 + (r / n) * sum;
  view.setUint32(0, (k + 1023) << 20);
  view.setUint32(4, 0);
  return sum * view.getFloat64(0);
}
