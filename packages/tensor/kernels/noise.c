// Rows of random numbers, each a function of seed, row number and column alone.
#include "hash.h"
#include "logarithm.h"

// Uniform on [0, 1) with 24 bits.
INLINE f4 uniform4(u4 bits) {
  return __builtin_convertvector((i4)(bits >> 8), f4) * splat4(5.9604644775390625e-8f);
}

// cos and sin of 2 pi u for u in [0, 1]: to the nearest quarter turn, then by polynomials.
INLINE void turn4(f4 u, f4 *cosine, f4 *sine) {
  const f4 quarters = u * splat4(4.0f), magic = splat4(12582912.0f);
  const f4 shifted = quarters + magic;
  const f4 x = (quarters - (shifted - magic)) * splat4(1.57079632679f), square = x * x;
  f4 s = splat4(-1.9515295891e-4f);
  s = madd4(s, square, splat4(8.3321608736e-3f));
  s = madd4(s, square, splat4(-1.6666654611e-1f));
  s = madd4(s * square, x, x);
  f4 c = splat4(2.443315711809948e-5f);
  c = madd4(c, square, splat4(-1.388731625493765e-3f));
  c = madd4(c, square, splat4(4.166664568298827e-2f));
  c = madd4(c * square, square, madd4(square, splat4(-0.5f), splat4(1.0f)));
  const i4 turn = (i4)shifted;
  const i4 is_odd = -(turn & 1);
  const i4 sign_c = ((turn + 1) & 2) << 30, sign_s = (turn & 2) << 30;
  *cosine = (f4)((i4)select4(is_odd, s, c) ^ sign_c);
  *sine = (f4)((i4)select4(is_odd, c, s) ^ sign_s);
}

// Two normals from two hashes: sqrt(-2 ln u) times cosine and sine of 2 pi v, u in (0, 1].
INLINE void normals4(u4 a, u4 b, f4 *first, f4 *second) {
  const f4 u = uniform4(a) + splat4(5.9604644775390625e-8f);
  const f4 radius = sqrt4(splat4(-2.0f) * log_normal4(u));
  f4 cosine, sine;
  turn4(uniform4(b), &cosine, &sine);
  *first = radius * cosine;
  *second = radius * sine;
}

// A stretch of eight columns from `d` of a row whose key is `key`.
INLINE void noise8(uint32_t d, u4 key, int is_normal, f4 *low, f4 *high) {
  const u4 position = {d, d + 1, d + 2, d + 3};
  const u4 a = bits4(position, key, key), b = bits4(position + 4, key, key);
  if (is_normal) {
    normals4(a, b, low, high);
    return;
  }
  *low = uniform4(a);
  *high = uniform4(b);
}

// out[i, d] for the rows numbered by `rows`: standard normal, or uniform on [0, 1).
EXPORT(noise_rows)
void noise_rows(int begin, int end, const float *scratch, int width, const int32_t *rows,
                uint32_t seed, int is_normal, float *out) {
  (void)scratch;
  const uint32_t mixed = mix1(seed);
  for (int i = begin; i < end; i++) {
    const u4 key = splat_bits4(mix1((uint32_t)rows[i] ^ mixed) + seed);
    float *to = out + (size_t)i * width;
    f4 low, high;
    int d = 0;
    for (; d + 8 <= width; d += 8) {
      noise8((uint32_t)d, key, is_normal, &low, &high);
      store4(to + d, low);
      store4(to + d + 4, high);
    }
    if (d == width) continue;
    noise8((uint32_t)d, key, is_normal, &low, &high);
    for (int lane = 0; d < width; d++, lane++) to[d] = lane < 4 ? low[lane] : high[lane - 4];
  }
}
