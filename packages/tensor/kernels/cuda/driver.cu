// Checks and times the CUDA kernels without TensorFlow: `driver FOLDER` runs the cases of
// FOLDER/cases.txt on the GPU, prints a line of JSON for each, and exits 1 when one fails: when it
// is not what is expected, or a second run leaves other bits.
// tools/gpu-check/make_cases.py writes such a folder. The lines of cases.txt, with words by blanks:
//
//   case LABEL                      begins a case; the label is the rest of the line
//   time REPEATS BYTES              times it; BYTES that must move, 0 when that makes no sense
//   input NAME OFFSET COUNT         4-byte values from byte OFFSET of FOLDER/data.bin on
//   output NAME COUNT               room for COUNT values
//   call KERNEL ARGUMENT ...        a number, @NAME, @NAME+VALUES, or null
//   check NAME float OFFSET COUNT   the first COUNT values against float64 values
//   check NAME exact OFFSET COUNT   the same, bit by bit, against 4-byte values
//   end
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>

#include "driver-calls.h"
#include "launch.cuh"

// Norm of the difference over the norm of what is expected.
constexpr double MOST_ERROR = 1e-5;
// Calls between two events, so that the time of an event is small beside theirs.
constexpr int CALLS_PER_TIME = 10;
constexpr int WARM_CALLS = 5;
// Fills what a kernel has to write: as a float 3.4e38, as a whole number no index.
constexpr int FILL = 0x7f;

static void must(int error, const char *what) {
  if (error == 0) return;
  const char *text = cudaGetErrorString((cudaError_t)error);
  throw std::runtime_error(std::string(what) + ": " + text);
}

// What a buffer holds before a run: given bytes, or nothing yet.
struct Buffer {
  char *device;
  size_t count;
  const char *given;
};

struct Call {
  Caller caller;
  std::vector<Argument> given;
};

struct Check {
  std::string buffer;
  bool is_exact;
  size_t offset, count;
};

struct Case {
  std::string label;
  int repeats = 0;
  double bytes = 0;
  std::map<std::string, Buffer> buffers;
  std::vector<Call> calls;
  std::vector<Check> checks;
};

using Bytes = std::vector<char>;

static Argument read_argument(const Case &of, const std::string &word) {
  if (word == "null") return {0, nullptr};
  if (word[0] != '@') return {std::stod(word), nullptr};
  const size_t plus = word.find('+');
  const std::string name = word.substr(1, plus == std::string::npos ? plus : plus - 1);
  const size_t shift = plus == std::string::npos ? 0 : std::stoul(word.substr(plus + 1));
  return {0, of.buffers.at(name).device + 4 * shift};
}

static void reset(const Buffer &of) {
  const size_t bytes = 4 * of.count;
  if (of.given) must(cudaMemcpy(of.device, of.given, bytes, cudaMemcpyHostToDevice), "inputs");
  else must(cudaMemset(of.device, FILL, bytes), "outputs");
}

static Buffer make_buffer(size_t count, const char *given) {
  Buffer made = {nullptr, count, given};
  must(cudaMalloc((void **)&made.device, 4 * count + 16), "memory");
  reset(made);
  return made;
}

static Call read_call(const Case &of, std::istringstream &words) {
  std::string name, word;
  words >> name;
  if (callers().count(name) == 0) throw std::runtime_error("no kernel " + name);
  Call call = {callers().at(name), {}};
  while (words >> word) call.given.push_back(read_argument(of, word));
  return call;
}

// Reads the lines of a case up to its end.
static Case read_case(std::istream &lines, const std::string &label, const Bytes &data) {
  Case of;
  of.label = label;
  std::string line, verb, name, kind;
  while (std::getline(lines, line) && line != "end") {
    std::istringstream words(line);
    size_t offset, count;
    words >> verb;
    if (verb == "time") words >> of.repeats >> of.bytes;
    else if (verb == "call") of.calls.push_back(read_call(of, words));
    else if (verb == "input" && words >> name >> offset >> count)
      of.buffers[name] = make_buffer(count, data.data() + offset);
    else if (verb == "output" && words >> name >> count)
      of.buffers[name] = make_buffer(count, nullptr);
    else if (verb == "check" && words >> name >> kind >> offset >> count)
      of.checks.push_back({name, kind == "exact", offset, count});
    else throw std::runtime_error("line not understood: " + line);
  }
  return of;
}

static void run_calls(const Case &of, cudaStream_t stream) {
  for (const Call &call : of.calls) must(call.caller(stream, call.given), "launch");
}

// All that the buffers hold after a run.
static Bytes run_once(const Case &of, cudaStream_t stream) {
  run_calls(of, stream);
  must(cudaStreamSynchronize(stream), "run");
  Bytes all;
  for (const auto &[name, buffer] : of.buffers) {
    const size_t at = all.size(), bytes = 4 * buffer.count;
    all.resize(at + bytes);
    must(cudaMemcpy(all.data() + at, buffer.device, bytes, cudaMemcpyDeviceToHost), "results");
  }
  return all;
}

// Runs a case twice; whether both runs left the same bits.
static bool run_twice(const Case &of, cudaStream_t stream) {
  const Bytes first = run_once(of, stream);
  for (const auto &[name, buffer] : of.buffers) reset(buffer);
  return run_once(of, stream) == first;
}

// Where NaN or an infinity is expected, the same must be there; such values have no distance.
static double relative_error(const std::vector<float> &got, const double *expected) {
  double square = 0, norm = 0;
  for (size_t i = 0; i < got.size(); i++) {
    const double value = got[i], wanted = expected[i];
    if (!std::isfinite(wanted)) {
      const bool is_same = std::isnan(wanted) ? std::isnan(value) : value == wanted;
      if (!is_same) return INFINITY;
      continue;
    }
    square += (value - wanted) * (value - wanted);
    norm += wanted * wanted;
  }
  const double error = std::sqrt(norm > 0 ? square / norm : square);
  return std::isfinite(error) ? error : INFINITY;
}

static double error_of(const Case &of, const Check &check, const Bytes &data) {
  std::vector<float> got(check.count);
  const Buffer &from = of.buffers.at(check.buffer);
  must(cudaMemcpy(got.data(), from.device, 4 * check.count, cudaMemcpyDeviceToHost), "results");
  const char *expected = data.data() + check.offset;
  if (check.is_exact) return std::memcmp(got.data(), expected, 4 * check.count) == 0 ? 0 : INFINITY;
  return relative_error(got, (const double *)expected);
}

// Median milliseconds of the case's calls, back to back: what fits the cache stays in it.
static double time_case(const Case &of, cudaStream_t stream) {
  cudaEvent_t start, end;
  must(cudaEventCreate(&start), "event");
  must(cudaEventCreate(&end), "event");
  std::vector<float> times(of.repeats);
  for (int i = 0; i < WARM_CALLS; i++) run_calls(of, stream);
  for (float &time : times) {
    must(cudaEventRecord(start, stream), "event");
    for (int i = 0; i < CALLS_PER_TIME; i++) run_calls(of, stream);
    must(cudaEventRecord(end, stream), "event");
    must(cudaEventSynchronize(end), "event");
    must(cudaEventElapsedTime(&time, start, end), "event");
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2] / CALLS_PER_TIME;
}

// Runs a case and prints its line; whether all is as expected.
static bool run_case(const Case &of, cudaStream_t stream, const Bytes &data) {
  const bool is_repeatable = run_twice(of, stream);
  double error = 0;
  for (const Check &check : of.checks) error = std::max(error, error_of(of, check, data));
  const bool is_right = is_repeatable && error <= MOST_ERROR;
  const double milliseconds = of.repeats > 0 ? time_case(of, stream) : 0;
  std::printf("{\"name\":\"%s\",\"ok\":%s", of.label.c_str(), is_right ? "true" : "false");
  std::printf(",\"isRepeatable\":%s", is_repeatable ? "true" : "false");
  if (std::isfinite(error)) std::printf(",\"error\":%.3g", error);
  else std::printf(",\"error\":null");
  if (of.repeats > 0) {
    std::printf(",\"milliseconds\":%.5f", milliseconds);
    if (of.bytes > 0) std::printf(",\"bytesPerSecond\":%.4g", of.bytes / milliseconds * 1e3);
  }
  std::printf("}\n");
  for (const auto &[name, buffer] : of.buffers) cudaFree(buffer.device);
  return is_right;
}

// The same; a CUDA error fails the case. After some errors all later cases fail as well.
static bool try_case(std::istream &lines, const std::string &label, cudaStream_t stream,
                     const Bytes &data) {
  bool is_right = false;
  try {
    is_right = run_case(read_case(lines, label, data), stream, data);
  } catch (const std::exception &error) {
    std::fprintf(stderr, "driver: %s: %s\n", label.c_str(), error.what());
    std::printf("{\"name\":\"%s\",\"ok\":false,\"error\":null}\n", label.c_str());
    cudaGetLastError();
  }
  std::fflush(stdout);
  return is_right;
}

static Bytes read_bytes(const std::string &path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) throw std::runtime_error("cannot read " + path);
  Bytes bytes((size_t)file.tellg());
  file.seekg(0);
  file.read(bytes.data(), (std::streamsize)bytes.size());
  return bytes;
}

// The number of cases that failed.
static int run_folder(const std::string &folder) {
  const Bytes data = read_bytes(folder + "/data.bin");
  std::ifstream lines(folder + "/cases.txt");
  if (!lines) throw std::runtime_error("cannot read " + folder + "/cases.txt");
  cudaStream_t stream;
  must(cudaStreamCreate(&stream), "stream");
  std::printf("{\"products\":\"%s\"}\n", product_library());
  int failures = 0;
  std::string line;
  while (std::getline(lines, line)) {
    if (line.rfind("case ", 0) != 0) continue;
    if (!try_case(lines, line.substr(5), stream, data)) failures++;
  }
  return failures;
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
