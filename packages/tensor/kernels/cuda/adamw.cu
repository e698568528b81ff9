// One step of Adam with decoupled weight decay, in place; the definition is in ../adamw.c.
#include "launch.cuh"
#include "launchers.h"

struct AdamwStep {
  float *p;
  const float *g;
  float *m, *v;
  float beta1, beta2, decay, rate, root_scale, epsilon;

  template <int N> __device__ void at(size_t i) const {
    const Pack<N> gradient = load<N>(g + i);
    Pack<N> parameter = load<N>(p + i), first = load<N>(m + i), second = load<N>(v + i);
    for (int lane = 0; lane < N; lane++) {
      const float x = gradient.at[lane];
      first.at[lane] = first.at[lane] * beta1 + x * (1 - beta1);
      second.at[lane] = second.at[lane] * beta2 + x * x * (1 - beta2);
      const float change =
          rate * first.at[lane] / (sqrtf(second.at[lane]) * root_scale + epsilon);
      parameter.at[lane] = parameter.at[lane] * decay - change;
    }
    store(m + i, first);
    store(v + i, second);
    store(p + i, parameter);
  }
};

int lab_cuda_adamw(void *stream, int count, float *p, const float *g, float *m, float *v,
                   float beta1, float beta2, float decay, float rate, float root_scale,
                   float epsilon) {
  const AdamwStep step = {p, g, m, v, beta1, beta2, decay, rate, root_scale, epsilon};
  return launch_items(stream, count, are_aligned(p, g, m, v), step);
}
