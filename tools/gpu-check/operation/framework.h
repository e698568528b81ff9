// TensorFlow's framework library with a device of ours: it registers the operation, makes its
// kernel, owns the tensors and runs the kernel on them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "machine.h"

// What a run came to: TensorFlow's code, 0 when all is well.
struct Outcome {
  int code;
  std::string message;
};

// Where an operation finds its stream: with its device, as when TensorFlow runs it at once; with
// the run itself, as in a graph; or nowhere.
enum class StreamOf { DEVICE, RUN, NOTHING };

struct Run {
  std::string operation;
  std::vector<double> job;
  // Tensors of the framework, the second input on.
  std::vector<size_t> tensors;
  StreamOf stream;
};

// TensorFlow's count of its graph format, which tells its versions apart.
int graph_version();

class Framework {
 public:
  explicit Framework(Machine &machine);
  ~Framework();

  // A new tensor of that many values of 4 bytes in the memory of the machine.
  size_t add(size_t count);
  // Where its values lie; null when there are none.
  void *data(size_t tensor) const;
  // Lets go of all tensors; how many pieces of the machine's memory are still in use.
  int clear();

  Outcome run(const Run &run);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};
