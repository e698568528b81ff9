// Checks the operation of packages/tensor/kernels/native/ops.cc with TensorFlow's framework library
// and a device of ours: `check FOLDER ADDON CPU|GPU` loads the addon of the operation, runs the
// cases of a folder (driver-cases.h) through it, then what it has to refuse, and prints a line of
// JSON. Exit 1: something is not as expected; 3: no GPU. On a GPU each case runs a second time
// while the stream is held: nothing may change before it is let go, and then the same bits must be
// there.
#include <algorithm>
#include <cstdio>

#include "placed-case.h"
#include "refusals.h"

namespace {

struct Totals {
  int cases = 0, held = 0, runs = 0;
  std::vector<std::string> failures;
};

// Runs a case again with its stream held; whether nothing changed before it was let go.
bool run_held(const Session &session, const PlacedCase &placed) {
  const Contents before = placed.read();
  session.machine.hold();
  bool is_untouched = false;
  try {
    placed.run(StreamOf::RUN);
    is_untouched = placed.read() == before;
  } catch (...) {
    session.machine.let_go();
    throw;
  }
  session.machine.let_go();
  return is_untouched;
}

// What is wrong about a case, or nothing.
std::string fault_of(const Session &session, const Case &of, Totals *totals) {
  const PlacedCase placed(session, of);
  placed.run(StreamOf::DEVICE);
  session.machine.wait();
  const Contents first = placed.read();
  placed.reset();
  const bool is_held = session.machine.can_hold() && !placed.has_products();
  if (is_held && !run_held(session, placed)) return "does not wait for the stream";
  if (!is_held) placed.run(StreamOf::RUN);
  session.machine.wait();
  const Contents second = placed.read();
  totals->held += is_held;
  totals->runs += 2 * (int)of.calls.size();
  if (first != second) return "a second run leaves other bits";
  double error = 0;
  for (const Check &check : of.checks)
    error = std::max(error, error_of(check, second.at(check.buffer).data()));
  if (error <= MOST_ERROR) return "";
  char text[32];
  std::snprintf(text, sizeof text, "error %.3g", error);
  return text;
}

// Whether a case is all right; else it stands among the failures.
bool try_case(const Session &session, const Case &of, Totals *totals) {
  std::string fault;
  try {
    fault = fault_of(session, of, totals);
  } catch (const std::exception &error) {
    fault = error.what();
  }
  const int kept = session.framework.clear();
  if (kept != 0) fault += " kept " + std::to_string(kept) + " tensors";
  totals->cases++;
  if (!fault.empty()) totals->failures.push_back(of.label + ": " + fault);
  return fault.empty();
}

std::string quoted(const std::string &text) {
  std::string result = "\"";
  for (const char letter : text) {
    if (letter == '"' || letter == '\\') result += '\\';
    result += letter;
  }
  return result + "\"";
}

int check_folder(const std::string &folder, const Addon &addon, Machine &machine) {
  Framework framework(machine);
  const Session session = {machine, framework, addon};
  Totals totals;
  count_failures(folder, [&](std::istream &lines, const std::string &label, const Bytes &data) {
    return try_case(session, read_case(lines, label, data), &totals);
  });
  const Refusals refusals = check_refusals(session);
  const size_t left = machine.temporary_bytes();
  auto failures = totals.failures;
  failures.insert(failures.end(), refusals.failures.begin(), refusals.failures.end());
  if (left != 0) failures.push_back("kernels kept " + std::to_string(left) + " bytes");
  std::printf("{\"device\":\"%s\",\"graphVersion\":%d,\"kernels\":%zu",
              machine.name().c_str(), graph_version(), addon.launchers.size());
  std::printf(",\"cases\":%d,\"runs\":%d,\"held\":%d", totals.cases, totals.runs, totals.held);
  std::printf(",\"refusals\":%d,\"failures\":[", refusals.count);
  for (size_t i = 0; i < failures.size(); i++)
    std::printf("%s%s", i == 0 ? "" : ",", quoted(failures[i]).c_str());
  std::printf("]}\n");
  for (const std::string &failure : failures) std::fprintf(stderr, "check: %s\n", failure.c_str());
  return failures.empty() && totals.cases > 0 ? 0 : 1;
}

}  // namespace

int main(int count, char **words) {
  const std::string device = count == 4 ? words[3] : "";
  if (device != "CPU" && device != "GPU") {
    std::fprintf(stderr, "usage: check FOLDER ADDON CPU|GPU\n");
    return 2;
  }
  try {
    const std::unique_ptr<Machine> machine = device == "CPU" ? create_cpu() : create_gpu();
    if (machine != nullptr) return check_folder(words[1], load_addon(words[2]), *machine);
    std::fprintf(stderr, "no GPU\n");
    return 3;
  } catch (const std::exception &error) {
    std::fprintf(stderr, "check: %s\n", error.what());
    return 1;
  }
}
