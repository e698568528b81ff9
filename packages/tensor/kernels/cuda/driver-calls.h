// Calls of the launchers by name, with arguments that were read from a file.
#pragma once

#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "driver-product.h"
#include "launchers.h"

// A number or a device pointer.
struct Argument {
  double number;
  void *pointer;
};

template <class Parameter> Parameter as_parameter(const Argument &given) {
  if constexpr (std::is_pointer_v<Parameter>) return (Parameter)given.pointer;
  else return (Parameter)given.number;
}

using Caller = int (*)(void *stream, const std::vector<Argument> &given);

template <auto LAUNCHER> struct CallerOf;

template <class... Parameters, int (*LAUNCHER)(void *, Parameters...)> struct CallerOf<LAUNCHER> {
  template <size_t... AT>
  static int spread(void *stream, const std::vector<Argument> &given, std::index_sequence<AT...>) {
    return LAUNCHER(stream, as_parameter<Parameters>(given[AT])...);
  }
  static int call(void *stream, const std::vector<Argument> &given) {
    if (given.size() != sizeof...(Parameters)) throw std::runtime_error("wrong argument count");
    return spread(stream, given, std::index_sequence_for<Parameters...>());
  }
};

inline const std::map<std::string, Caller> &callers() {
#define LAUNCHER(name) {#name, CallerOf<&lab_cuda_##name>::call}
  static const std::map<std::string, Caller> all = {
      LAUNCHER(csr_product),
      LAUNCHER(csr_sampled_dot),
      LAUNCHER(gather_row_blocks),
      LAUNCHER(find_outside),
      LAUNCHER(attention_coefficients),
      LAUNCHER(attention_head_mean),
      LAUNCHER(attention_collect),
      LAUNCHER(attention_sent),
      LAUNCHER(attention_softmax_backward),
      LAUNCHER(attention_source_sums),
      LAUNCHER(add_row_combinations),
      LAUNCHER(sum_parts),
      LAUNCHER(scale_values),
      LAUNCHER(segment_order),
      LAUNCHER(segment_total),
      LAUNCHER(segment_max),
      LAUNCHER(segment_max_backward),
      LAUNCHER(segment_shares),
      LAUNCHER(segment_mean_backward),
      LAUNCHER(segment_largest),
      LAUNCHER(segment_exponentials),
      LAUNCHER(segment_divide),
      LAUNCHER(segment_dots),
      LAUNCHER(segment_sum),
      LAUNCHER(segment_softmax_backward),
      LAUNCHER(adamw),
      LAUNCHER(dropout),
      LAUNCHER(softmax_rows),
      LAUNCHER(log_softmax_rows),
      LAUNCHER(softmax_rows_backward),
      LAUNCHER(log_softmax_rows_backward),
      LAUNCHER(normalize_rows),
      LAUNCHER(normalize_rows_backward),
      LAUNCHER(layer_norm),
      LAUNCHER(rms_norm),
      {"product", CallerOf<&product>::call},
  };
#undef LAUNCHER
  return all;
}
