#include "refusals.h"

#include <cmath>
#include <cstdio>

namespace {

constexpr int INVALID_ARGUMENT = 3, INTERNAL = 13;
constexpr size_t COUNT = 8, BYTES = 4 * COUNT;
// Columns that need more blocks side by side than a grid of CUDA may have.
constexpr double TOO_WIDE = 4.0 * 128 * 70000;
// What is said then, but for the number of the error.
constexpr const char *WRONG_LAUNCH = "gather_row_blocks failed on the GPU with CUDA error ";

struct Refusal {
  std::string message;
  int code;
  std::vector<double> job;
  StreamOf stream;
};

std::vector<Refusal> refusals_of(const Session &session) {
  const double scale = (double)place_of(session.addon, "scale_values");
  const double find = (double)place_of(session.addon, "find_outside");
  const double gather = (double)place_of(session.addon, "gather_row_blocks");
  const double own = token_of(0, 0), count = COUNT;
  const StreamOf usual = StreamOf::DEVICE;
  const auto scaled = [&](double from, double to) {
    return std::vector<double>{scale, count, 1, 0, 0, from, 2, to};
  };
  std::vector<Refusal> all = {
      {"five numbers at least", INVALID_ARGUMENT, {scale, count, 1, 0}, usual},
      {"there is no kernel 1000", INVALID_ARGUMENT, {1000, count, 1, 0, 0, own, 2, own}, usual},
      {"there is no kernel -1", INVALID_ARGUMENT, {-1, count, 1, 0, 0, own, 2, own}, usual},
      {"there is no kernel", INVALID_ARGUMENT, {NAN, count, 1, 0, 0, own, 2, own}, usual},
      {"too few values", INVALID_ARGUMENT, {scale, count, 1, 0, 0, own, 2}, usual},
      {"too few values", INVALID_ARGUMENT, {scale, count, 0, 0, 0, own, 2, own}, usual},
      {"in none of its tensors", INVALID_ARGUMENT, scaled(own, token_of(1, 0)), usual},
      {"in none of its tensors", INVALID_ARGUMENT, scaled(16, own), usual},
      {"in none of its tensors", INVALID_ARGUMENT, scaled(own + 0.5, own), usual},
      {"past the end of a tensor", INVALID_ARGUMENT, scaled(token_of(0, BYTES + 4), own), usual},
      {"no address for its answer", INVALID_ARGUMENT,
       {find, 0, 1, 0, 0, count, own, 0, 9, 0}, usual},
  };
  if (session.machine.stream() == nullptr) return all;
  all.push_back({"gave no stream", INTERNAL, scaled(own, own), StreamOf::NOTHING});
  all.push_back({WRONG_LAUNCH, INTERNAL,
                 {gather, 1, 1, 0, 0, own, 1, TOO_WIDE, own, 1, own}, usual});
  return all;
}

// Runs what is refused; what is wrong about its outcome, or nothing.
std::string fault_of(const Session &session, const Refusal &refusal, size_t tensor) {
  const Outcome outcome =
      session.framework.run({session.addon.operation, refusal.job, {tensor}, refusal.stream});
  session.machine.wait();
  std::vector<float> left(COUNT);
  session.machine.read(left.data(), session.framework.data(tensor), BYTES);
  if (left != std::vector<float>(COUNT, 1)) return "changed its tensor: " + refusal.message;
  if (outcome.code == refusal.code && outcome.message.find(refusal.message) != std::string::npos)
    return "";
  return "wanted \"" + refusal.message + "\", got " + std::to_string(outcome.code) + " " +
         outcome.message;
}

// Whether the operation still works.
bool is_working(const Session &session, size_t tensor) {
  const double place = (double)place_of(session.addon, "scale_values"), own = token_of(0, 0);
  const std::vector<double> job = {place, COUNT, 1, 0, 0, own, 2, own};
  const Outcome outcome =
      session.framework.run({session.addon.operation, job, {tensor}, StreamOf::DEVICE});
  session.machine.wait();
  std::vector<float> left(COUNT);
  session.machine.read(left.data(), session.framework.data(tensor), BYTES);
  return outcome.code == 0 && left == std::vector<float>(COUNT, 2);
}

}  // namespace

Refusals check_refusals(const Session &session) {
  Refusals result = {0, {}};
  const std::vector<float> ones(COUNT, 1);
  for (const Refusal &refusal : refusals_of(session)) {
    const size_t tensor = session.framework.add(COUNT);
    session.machine.write(session.framework.data(tensor), ones.data(), BYTES);
    std::string fault = fault_of(session, refusal, tensor);
    if (fault.empty() && !is_working(session, tensor)) fault = "broken after " + refusal.message;
    if (session.framework.clear() != 0) fault += " a tensor was kept after " + refusal.message;
    result.count++;
    if (!fault.empty()) result.failures.push_back(fault);
  }
  return result;
}
