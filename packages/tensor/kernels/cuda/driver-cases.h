// The cases that tools/gpu-check/make_cases.py writes: FOLDER/cases.txt with values in
// FOLDER/data.bin. The lines of cases.txt, with words by blanks:
//
//   case LABEL                      begins a case; the label is the rest of the line
//   time REPEATS BYTES              times it; BYTES that must move, 0 when that makes no sense
//   input NAME OFFSET COUNT         4-byte values from byte OFFSET of data.bin on
//   output NAME COUNT               room for COUNT values
//   call KERNEL ARGUMENT ...        a number, @NAME, @NAME+VALUES, or null
//   check NAME float OFFSET COUNT   the first COUNT values against float64 values
//   check NAME exact OFFSET COUNT   the same, bit by bit, against 4-byte values
//   end
#pragma once

#include <cmath>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

// Norm of the difference over the norm of what is expected.
constexpr double MOST_ERROR = 1e-5;
// Fills what a kernel has to write: as a float 3.4e38, as a whole number no index.
constexpr int FILL = 0x7f;

using Bytes = std::vector<char>;

// What a buffer holds before a run: given bytes, or nothing yet.
struct BufferForm {
  size_t count;
  const char *given;
};

// A number, or an address: `shift` values into the buffer of that name, none without a name.
struct Word {
  double number;
  bool is_address;
  std::string buffer;
  size_t shift;
};

struct CaseCall {
  std::string kernel;
  std::vector<Word> words;
};

struct Check {
  std::string buffer;
  bool is_exact;
  const char *expected;
  size_t count;
};

struct Case {
  std::string label;
  int repeats = 0;
  double bytes = 0;
  std::map<std::string, BufferForm> buffers;
  std::vector<CaseCall> calls;
  std::vector<Check> checks;
};

inline Word read_word(const std::string &text) {
  if (text == "null") return {0, true, "", 0};
  if (text[0] != '@') return {std::stod(text), false, "", 0};
  const size_t plus = text.find('+');
  const std::string name = text.substr(1, plus == std::string::npos ? plus : plus - 1);
  return {0, true, name, plus == std::string::npos ? 0 : std::stoul(text.substr(plus + 1))};
}

inline CaseCall read_call(std::istringstream &words) {
  CaseCall call;
  std::string word;
  words >> call.kernel;
  while (words >> word) call.words.push_back(read_word(word));
  return call;
}

// Reads the lines of a case up to its end.
inline Case read_case(std::istream &lines, const std::string &label, const Bytes &data) {
  Case of;
  of.label = label;
  std::string line, verb, name, kind;
  while (std::getline(lines, line) && line != "end") {
    std::istringstream words(line);
    size_t offset, count;
    words >> verb;
    if (verb == "time") words >> of.repeats >> of.bytes;
    else if (verb == "call") of.calls.push_back(read_call(words));
    else if (verb == "input" && words >> name >> offset >> count)
      of.buffers[name] = {count, data.data() + offset};
    else if (verb == "output" && words >> name >> count) of.buffers[name] = {count, nullptr};
    else if (verb == "check" && words >> name >> kind >> offset >> count)
      of.checks.push_back({name, kind == "exact", data.data() + offset, count});
    else throw std::runtime_error("line not understood: " + line);
  }
  return of;
}

// Where NaN or an infinity is expected, the same must be there; such values have no distance.
inline double relative_error(const float *got, const double *expected, size_t count) {
  double square = 0, norm = 0;
  for (size_t i = 0; i < count; i++) {
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

// How far what a buffer holds is from what is expected.
inline double error_of(const Check &check, const char *got) {
  if (check.is_exact)
    return std::memcmp(got, check.expected, 4 * check.count) == 0 ? 0 : INFINITY;
  return relative_error((const float *)got, (const double *)check.expected, check.count);
}

inline Bytes read_bytes(const std::string &path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) throw std::runtime_error("cannot read " + path);
  Bytes bytes((size_t)file.tellg());
  file.seekg(0);
  file.read(bytes.data(), (std::streamsize)bytes.size());
  return bytes;
}

// How many cases of a folder try_case(lines, label, data) is not true of.
template <class TryCase> int count_failures(const std::string &folder, TryCase try_case) {
  const Bytes data = read_bytes(folder + "/data.bin");
  std::ifstream lines(folder + "/cases.txt");
  if (!lines) throw std::runtime_error("cannot read " + folder + "/cases.txt");
  int failures = 0;
  std::string line;
  while (std::getline(lines, line)) {
    if (line.rfind("case ", 0) != 0) continue;
    if (!try_case(lines, line.substr(5), data)) failures++;
  }
  return failures;
}
