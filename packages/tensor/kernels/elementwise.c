// Functions of one tensor, element by element, and what their gradients multiply `dy` with.
#include "sigmoid.h"

// exp with its ends: 0 below -87.3, infinite from 88.7.
INLINE f4 exp_full4(f4 x) {
  const f4 high = splat4(88.722f);
  const f4 value = exp4(min4(x, high));
  const f4 low = select4(x < splat4(-87.3f), splat4(0.0f), value);
  return select4(x > high, splat4(__builtin_inff()), low);
}

INLINE f4 tanh4(f4 x) {
  const f4 one = splat4(1.0f), a = magnitude4(x), square = x * x;
  const f4 e = exp4(splat4(-2.0f) * a);
  const f4 large = (f4)((i4)((one - e) / (one + e)) | ((i4)x & (int32_t)0x80000000));
  f4 p = splat4(-5.70498872745e-3f);
  p = madd4(p, square, splat4(2.06390887954e-2f));
  p = madd4(p, square, splat4(-5.37397155531e-2f));
  p = madd4(p, square, splat4(1.33314422036e-1f));
  p = madd4(p, square, splat4(-3.33332819422e-1f));
  return select4(a < splat4(0.625f), madd4(p * square, x, x), large);
}

INLINE f4 elu4(f4 x) {
  const f4 one = splat4(1.0f), zero = splat4(0.0f), square = x * x;
  // e^x - 1 near 0 by its series, where the difference would lose its digits.
  f4 p = splat4(1.3888889e-3f);
  p = madd4(p, x, splat4(8.3333333e-3f));
  p = madd4(p, x, splat4(4.1666667e-2f));
  p = madd4(p, x, splat4(1.6666667e-1f));
  p = madd4(p, x, splat4(0.5f));
  const f4 small = madd4(square, p, x);
  const f4 negative = select4(x > splat4(-0.25f), small, exp4(x) - one);
  return select4(x > zero, x, negative);
}

INLINE f4 step4(f4 y) { return select4(y > splat4(0.0f), splat4(1.0f), splat4(0.0f)); }

#define UNARY(NAME, FUNCTION)                                                                      \
  EXPORT(NAME)                                                                                     \
  void NAME(int begin, int end, const float *scratch, const float *x, float *out) {                \
    (void)scratch;                                                                                 \
    int i = begin;                                                                                 \
    for (; i + 4 <= end; i += 4) store4(out + i, FUNCTION(load4(x + i)));                          \
    for (; i < end; i++) out[i] = FUNCTION(splat4(x[i]))[0];                                       \
  }

INLINE f4 square4(f4 x) { return x * x; }
INLINE f4 negative4(f4 x) { return -x; }

UNARY(square_values, square4)
UNARY(negate_values, negative4)
UNARY(exp_values, exp_full4)
UNARY(log_values, log4)
UNARY(sigmoid_values, sigmoid4)
UNARY(softplus_values, softplus4)
UNARY(tanh_values, tanh4)
UNARY(elu_values, elu4)
UNARY(sqrt_values, sqrt4)

// out = dy times the derivative as a function of `kept`, the input or the output.
#define GRADIENT(NAME, DERIVATIVE)                                                                 \
  EXPORT(NAME)                                                                                     \
  void NAME(int begin, int end, const float *scratch, const float *dy, const float *kept,          \
            float *out) {                                                                          \
    (void)scratch;                                                                                 \
    int i = begin;                                                                                 \
    for (; i + 4 <= end; i += 4) {                                                                 \
      const f4 k = load4(kept + i);                                                                \
      store4(out + i, load4(dy + i) * (DERIVATIVE));                                               \
    }                                                                                              \
    for (; i < end; i++) {                                                                         \
      const f4 k = splat4(kept[i]);                                                                \
      out[i] = dy[i] * (DERIVATIVE)[0];                                                            \
    }                                                                                              \
  }

GRADIENT(elu_gradient, (select4(k > splat4(0.0f), splat4(1.0f), k + splat4(1.0f))))
GRADIENT(relu_gradient, (step4(k)))
GRADIENT(sigmoid_gradient, (k * (splat4(1.0f) - k)))
GRADIENT(tanh_gradient, (splat4(1.0f) - k * k))
GRADIENT(softplus_gradient, (sigmoid4(k)))
GRADIENT(square_gradient, (k + k))
