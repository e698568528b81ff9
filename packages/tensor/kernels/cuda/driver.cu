// Checks and times the CUDA kernels without TensorFlow: `driver FOLDER` runs the cases of a folder
// (driver-cases.h) on the GPU, prints a line of JSON for each, and exits 1 when one fails: when it
// is not what is expected, or a second run leaves other bits.
#include <cstdio>

#include "driver-calls.h"
#include "driver-cases.h"
#include "launch.cuh"

// Calls between two events, so that the time of an event is small beside theirs.
constexpr int CALLS_PER_TIME = 10;
constexpr int WARM_CALLS = 5;

static void must(int error, const char *what) {
  if (error == 0) return;
  const char *text = cudaGetErrorString((cudaError_t)error);
  throw std::runtime_error(std::string(what) + ": " + text);
}

struct Call {
  Caller caller;
  std::vector<Argument> given;
};

// A case with its buffers on the GPU.
class PlacedCase {
 public:
  explicit PlacedCase(const Case &of) : of(of) {
    for (const auto &[name, form] : of.buffers)
      must(cudaMalloc((void **)&places_[name], 4 * form.count + 16), "memory");
    reset();
    for (const CaseCall &call : of.calls) calls_.push_back(placed(call));
  }
  PlacedCase(const PlacedCase &) = delete;
  PlacedCase &operator=(const PlacedCase &) = delete;
  ~PlacedCase() {
    for (const auto &[name, place] : places_) cudaFree(place);
  }

  // Puts into every buffer what it holds before a run.
  void reset() const {
    for (const auto &[name, form] : of.buffers) {
      const size_t bytes = 4 * form.count;
      char *place = places_.at(name);
      if (!form.given) must(cudaMemset(place, FILL, bytes), "outputs");
      else must(cudaMemcpy(place, form.given, bytes, cudaMemcpyHostToDevice), "inputs");
    }
  }

  void run(cudaStream_t stream) const {
    for (const Call &call : calls_) must(call.caller(stream, call.given), "launch");
  }

  // What a buffer holds.
  Bytes read(const std::string &name) const {
    Bytes bytes(4 * of.buffers.at(name).count);
    const char *place = places_.at(name);
    must(cudaMemcpy(bytes.data(), place, bytes.size(), cudaMemcpyDeviceToHost), "results");
    return bytes;
  }

  const Case &of;

 private:
  Call placed(const CaseCall &call) const {
    if (callers().count(call.kernel) == 0) throw std::runtime_error("no kernel " + call.kernel);
    std::vector<Argument> given;
    for (const Word &word : call.words) {
      const bool has_place = word.is_address && !word.buffer.empty();
      char *place = has_place ? places_.at(word.buffer) + 4 * word.shift : nullptr;
      given.push_back({word.number, place});
    }
    return {callers().at(call.kernel), given};
  }

  std::map<std::string, char *> places_;
  std::vector<Call> calls_;
};

// All that the buffers hold after a run.
static std::map<std::string, Bytes> run_once(const PlacedCase &placed, cudaStream_t stream) {
  placed.run(stream);
  must(cudaStreamSynchronize(stream), "run");
  std::map<std::string, Bytes> all;
  for (const auto &[name, form] : placed.of.buffers) all[name] = placed.read(name);
  return all;
}

// Median milliseconds of the case's calls, back to back: what fits the cache stays in it.
static double time_case(const PlacedCase &placed, cudaStream_t stream) {
  cudaEvent_t start, end;
  must(cudaEventCreate(&start), "event");
  must(cudaEventCreate(&end), "event");
  std::vector<float> times(placed.of.repeats);
  for (int i = 0; i < WARM_CALLS; i++) placed.run(stream);
  for (float &time : times) {
    must(cudaEventRecord(start, stream), "event");
    for (int i = 0; i < CALLS_PER_TIME; i++) placed.run(stream);
    must(cudaEventRecord(end, stream), "event");
    must(cudaEventSynchronize(end), "event");
    must(cudaEventElapsedTime(&time, start, end), "event");
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2] / CALLS_PER_TIME;
}

// Runs a case and prints its line; whether all is as expected.
static bool run_case(const Case &of, cudaStream_t stream) {
  const PlacedCase placed(of);
  const std::map<std::string, Bytes> first = run_once(placed, stream);
  placed.reset();
  const std::map<std::string, Bytes> second = run_once(placed, stream);
  const bool is_repeatable = first == second;
  double error = 0;
  for (const Check &check : of.checks)
    error = std::max(error, error_of(check, second.at(check.buffer).data()));
  const bool is_right = is_repeatable && error <= MOST_ERROR;
  const double milliseconds = of.repeats > 0 ? time_case(placed, stream) : 0;
  std::printf("{\"name\":\"%s\",\"ok\":%s", of.label.c_str(), is_right ? "true" : "false");
  std::printf(",\"isRepeatable\":%s", is_repeatable ? "true" : "false");
  if (std::isfinite(error)) std::printf(",\"error\":%.3g", error);
  else std::printf(",\"error\":null");
  if (of.repeats > 0) {
    std::printf(",\"milliseconds\":%.5f", milliseconds);
    if (of.bytes > 0) std::printf(",\"bytesPerSecond\":%.4g", of.bytes / milliseconds * 1e3);
  }
  std::printf("}\n");
  return is_right;
}

// The same; a CUDA error fails the case. After some errors all later cases fail as well.
static bool try_case(std::istream &lines, const std::string &label, cudaStream_t stream,
                     const Bytes &data) {
  bool is_right = false;
  try {
    is_right = run_case(read_case(lines, label, data), stream);
  } catch (const std::exception &error) {
    std::fprintf(stderr, "driver: %s: %s\n", label.c_str(), error.what());
    std::printf("{\"name\":\"%s\",\"ok\":false,\"error\":null}\n", label.c_str());
    cudaGetLastError();
  }
  std::fflush(stdout);
  return is_right;
}

// The number of cases that failed.
static int run_folder(const std::string &folder) {
  cudaStream_t stream;
  must(cudaStreamCreate(&stream), "stream");
  std::printf("{\"products\":\"%s\"}\n", product_library());
  const auto is_right = [&](std::istream &lines, const std::string &label, const Bytes &data) {
    return try_case(lines, label, stream, data);
  };
  return count_failures(folder, is_right);
}

int main(int count, char **words) {
  if (count != 2) {
    std::fprintf(stderr, "usage: driver FOLDER\n");
    return 2;
  }
  int devices = 0;
  if (cudaGetDeviceCount(&devices) != cudaSuccess || devices == 0) {
    std::fprintf(stderr, "no GPU\n");
    return 3;
  }
  try {
    return run_folder(words[1]) > 0 ? 1 : 0;
  } catch (const std::exception &error) {
    std::fprintf(stderr, "driver: %s\n", error.what());
    return 1;
  }
}
