// GELU and SiLU in one pass, and their gradients.
#include "softmax.h"

// Beyond it e^(-x^2 / 2) is 0 in float32: GELU is 0 or x there, its slope 0 or 1.
#define GELU_BOUND 13.25f

INLINE f4 clamp4(f4 x, float bound) { return min4(max4(x, splat4(-bound)), splat4(bound)); }

// max(x, 0), NaN for NaN.
INLINE f4 positive4(f4 x) { return max4(x, splat4(0.0f)); }

// Share of the normal distribution beyond a, and e^(-a^2 / 2); 0 <= a <= 13.25.
typedef struct {
  f4 tail, bell;
} Normal;

// The tail is e^(-a^2 / 2) q(t), t = 1 / (1 + 0.35 a), with q fitted to a relative error of 3e-8.
INLINE Normal normal4(f4 a) {
  const f4 one = splat4(1.0f), t = one / madd4(splat4(0.35f), a, one);
  f4 q = splat4(-2.914593897e-2f);
  q = madd4(q, t, splat4(1.439717393e-1f));
  q = madd4(q, t, splat4(-2.557143388e-1f));
  q = madd4(q, t, splat4(1.591742555e-1f));
  q = madd4(q, t, splat4(-2.310990003e-2f));
  q = madd4(q, t, splat4(1.055080314e-1f));
  q = madd4(q, t, splat4(1.198328607e-1f));
  q = madd4(q, t, splat4(1.398618706e-1f));
  q = madd4(q, t, splat4(1.396214042e-1f));
  const f4 bell = exp_bounded4(a * a * splat4(-0.5f));
  return (Normal){bell * (q * t), bell};
}

// Beyond it the share of the normal distribution is 0 or 1 in float32.
#define SHARE_BOUND 5.6f

// x times the share below x, 1 / 2 + x p(x^2) / q(x^2), fitted to 1e-8: without the exponential
// it runs at the speed of the memory. On the left of -5.6 exactly 0.
INLINE f4 gelu4(f4 x) {
  const f4 c = clamp4(x, SHARE_BOUND), s = c * c;
  f4 p = splat4(2.214531825e-8f);
  p = madd4(p, s, splat4(6.356538428e-6f));
  p = madd4(p, s, splat4(1.738510753e-4f));
  p = madd4(p, s, splat4(4.707261473e-3f));
  p = madd4(p, s, splat4(3.437613586e-2f));
  p = madd4(p, s, splat4(3.989422216e-1f));
  f4 q = splat4(1.180212626e-6f);
  q = madd4(q, s, splat4(7.510205661e-5f));
  q = madd4(q, s, splat4(1.912980067e-3f));
  q = madd4(q, s, splat4(2.894010500e-2f));
  q = madd4(q, s, splat4(2.528339071e-1f));
  q = madd4(q, s, splat4(1.0f));
  const f4 share = madd4(c, p / q, splat4(0.5f));
  return (f4)((i4)(x * share) & ~(i4)(x < splat4(-SHARE_BOUND)));
}

// Share below x, plus x bell / sqrt(2 pi).
INLINE f4 gelu_slope4(f4 x) {
  const f4 c = clamp4(x, GELU_BOUND);
  const Normal n = normal4(magnitude4(c));
  const f4 share = select4(x < splat4(0.0f), n.tail, splat4(1.0f) - n.tail);
  return madd4(c * n.bell, splat4(0.39894228f), share);
}

// Beyond it e^-u is 0 in float32.
#define SIGMOID_BOUND 87.8f

// sigmoid(-a), 0 <= a <= 87.8.
INLINE f4 sigmoid_rest4(f4 a) {
  const f4 e = exp_bounded4(-a);
  return e / (splat4(1.0f) + e);
}

// The argument of the tanh form: 0.5 (1 + tanh w) = sigmoid(2 w),
// w = sqrt(2 / pi) (x + 0.044715 x^3).
INLINE f4 gelu_tanh_argument4(f4 c) {
  return c * madd4(c * c, splat4(1.59576912f * 0.044715f), splat4(1.59576912f));
}

INLINE f4 gelu_tanh4(f4 x) {
  const f4 a = min4(magnitude4(x), splat4(GELU_BOUND));
  const f4 u = min4(gelu_tanh_argument4(a), splat4(SIGMOID_BOUND));
  return positive4(x) - a * sigmoid_rest4(u);
}

INLINE f4 silu4(f4 x) {
  const f4 a = min4(magnitude4(x), splat4(SIGMOID_BOUND));
  return positive4(x) - a * sigmoid_rest4(a);
}

// sigmoid(u) + x sigmoid(u) sigmoid(-u) u', where u' is `inner` and `x` is finite.
INLINE f4 sigmoid_slope4(f4 u, f4 x, f4 inner) {
  const f4 one = splat4(1.0f);
  const f4 rest = sigmoid_rest4(min4(magnitude4(u), splat4(SIGMOID_BOUND))), most = one - rest;
  const f4 value = select4(u < splat4(0.0f), rest, most);
  return madd4(x * rest * most, inner, value);
}

INLINE f4 gelu_tanh_slope4(f4 x) {
  const f4 c = clamp4(x, GELU_BOUND);
  const f4 inner = madd4(c * c, splat4(3 * 1.59576912f * 0.044715f), splat4(1.59576912f));
  return sigmoid_slope4(gelu_tanh_argument4(c), c, inner);
}

INLINE f4 silu_slope4(f4 x) {
  return sigmoid_slope4(x, clamp4(x, SIGMOID_BOUND), splat4(1.0f));
}

// Two vectors a step: the steps of one fill the waits of the other.
#define ACTIVATION(NAME, FUNCTION)                                                                 \
  EXPORT(NAME) void NAME(int begin, int end, const float *scratch, const float *x, float *out) {   \
    (void)scratch;                                                                                 \
    int i = begin;                                                                                 \
    for (; i + 8 <= end; i += 8) {                                                                 \
      const f4 y0 = FUNCTION(load4(x + i)), y1 = FUNCTION(load4(x + i + 4));                       \
      store4(out + i, y0);                                                                         \
      store4(out + i + 4, y1);                                                                     \
    }                                                                                              \
    for (; i < end; i += 4) {                                                                      \
      const int rest = end - i < 4 ? end - i : 4;                                                  \
      store_part(out + i, rest, FUNCTION(load_part(x + i, rest, 0)));                              \
    }                                                                                              \
  }

ACTIVATION(gelu_values, gelu4)
ACTIVATION(gelu_tanh_values, gelu_tanh4)
ACTIVATION(silu_values, silu4)

// out = dy times the slope at x.
#define SLOPE(NAME, FUNCTION)                                                                      \
  EXPORT(NAME)                                                                                     \
  void NAME(int begin, int end, const float *scratch, const float *dy, const float *x,             \
            float *out) {                                                                          \
    (void)scratch;                                                                                 \
    int i = begin;                                                                                 \
    for (; i + 8 <= end; i += 8) {                                                                 \
      const f4 y0 = FUNCTION(load4(x + i)), y1 = FUNCTION(load4(x + i + 4));                       \
      store4(out + i, load4(dy + i) * y0);                                                         \
      store4(out + i + 4, load4(dy + i + 4) * y1);                                                 \
    }                                                                                              \
    for (; i < end; i += 4) {                                                                      \
      const int rest = end - i < 4 ? end - i : 4;                                                  \
      const f4 slopes = FUNCTION(load_part(x + i, rest, 0));                                       \
      store_part(out + i, rest, load_part(dy + i, rest, 0) * slopes);                              \
    }                                                                                              \
  }

SLOPE(gelu_gradient, gelu_slope4)
SLOPE(gelu_tanh_gradient, gelu_tanh_slope4)
SLOPE(silu_gradient, silu_slope4)
