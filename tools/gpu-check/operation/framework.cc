#include "framework.h"

#include "tensorflow/c/c_api.h"
#include "tensorflow/core/framework/device.h"
#include "tensorflow/core/framework/kernel_def.pb.h"
#include "tensorflow/core/framework/node_def.pb.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/public/version.h"
#include "xla/stream_executor/stream.h"

namespace tf = tensorflow;
namespace se = stream_executor;

// The only function of ops.cc that is not in the framework library; its body is that of TensorFlow.
TF_Buffer *TF_GetRegisteredKernelsForOp(const char *name, TF_Status *status) {
  const std::string found = tf::GetRegisteredKernelsForOp(name).SerializeAsString();
  TF_SetStatus(status, TF_OK, "");
  return TF_NewBufferFromString(found.data(), found.size());
}

namespace {

class MachineAllocator : public tf::Allocator {
 public:
  explicit MachineAllocator(Machine &machine) : machine_(machine) {}
  std::string Name() override { return "machine"; }
  void *AllocateRaw(size_t, size_t bytes) override {
    pieces++;
    return machine_.allocate(bytes);
  }
  void DeallocateRaw(void *memory) override {
    pieces--;
    machine_.release(memory);
  }

  int pieces = 0;

 private:
  Machine &machine_;
};

// A stream of TensorFlow that knows its CUDA stream, and nothing else.
class MachineStream : public se::Stream {
 public:
  explicit MachineStream(void *stream) : stream_(stream) {}
  PlatformSpecificHandle platform_specific_handle() const override { return {stream_}; }
  bool ok() const override { return true; }
  absl::StatusOr<Stream *> GetOrCreateSubStream() override { return refused(); }
  void ReturnSubStream(Stream *) override {}
  absl::Status WaitFor(Stream *) override { return refused(); }
  absl::Status WaitFor(se::Event *) override { return refused(); }
  absl::Status RecordEvent(se::Event *) override { return refused(); }
  absl::Status Memcpy(void *, const se::DeviceAddressBase &, uint64_t) override {
    return refused();
  }
  absl::Status Memcpy(se::DeviceAddressBase *, const void *, uint64_t) override {
    return refused();
  }
  absl::Status BlockHostUntilDone() override { return refused(); }
  absl::Status DoHostCallbackWithStatus(absl::AnyInvocable<absl::Status() &&>) override {
    return refused();
  }
  se::StreamExecutor *parent() const override { return nullptr; }
  se::CudaComputeCapability GetCudaComputeCapability() const override { return {}; }
  se::RocmComputeCapability GetRocmComputeCapability() const override { return {}; }
  se::OneAPIComputeCapability GetOneAPIComputeCapability() const override { return {}; }
  std::variant<se::StreamPriority, int> priority() const override { return 0; }
  const std::string &GetName() const override { return name_; }
  void SetName(std::string name) override { name_ = name; }

 private:
  static absl::Status refused() { return absl::UnimplementedError("not the operation's to call"); }

  void *stream_;
  std::string name_;
};

class MachineContext : public tf::DeviceContext {
 public:
  explicit MachineContext(se::Stream *stream) : stream_(stream) {}
  se::Stream *stream() const override { return stream_; }

 private:
  se::Stream *stream_;
};

class MachineDevice : public tf::Device {
 public:
  MachineDevice(Machine &machine, tf::Allocator &allocator)
      : Device(tf::Env::Default(), attributes_of(machine)),
        machine_(machine),
        allocator_(allocator) {}

  tf::Allocator *GetAllocator(tf::AllocatorAttributes attributes) override {
    return attributes.on_host() ? tf::cpu_allocator() : &allocator_;
  }
  void Compute(tf::OpKernel *kernel, tf::OpKernelContext *context) override {
    machine_.enter();
    kernel->Compute(context);
    machine_.leave();
  }
  absl::Status Sync() override { return absl::OkStatus(); }

 private:
  static tf::DeviceAttributes attributes_of(const Machine &machine) {
    const std::string kind = machine.device();
    return BuildDeviceAttributes("/job:localhost/replica:0/task:0/device:" + kind + ":0",
                                 tf::DeviceType(kind), tf::Bytes(1 << 30), tf::DeviceLocality());
  }

  Machine &machine_;
  tf::Allocator &allocator_;
};

tf::NodeDef node_of(const Run &run, const std::vector<tf::Tensor> &tensors) {
  tf::NodeDef node;
  node.set_name("run");
  node.set_op(run.operation);
  node.add_input("job");
  auto *types = (*node.mutable_attr())["Ttypes"].mutable_list();
  for (const size_t tensor : run.tensors) {
    node.add_input("tensor" + std::to_string(tensor));
    types->add_type(tensors[tensor].dtype());
  }
  return node;
}

Outcome outcome_of(const absl::Status &status) {
  return {static_cast<int>(status.code()), std::string(status.message())};
}

}  // namespace

int graph_version() { return TF_GRAPH_DEF_VERSION; }

struct Framework::Parts {
  explicit Parts(Machine &machine)
      : machine(machine),
        allocator(machine),
        stream(machine.stream()),
        context(new MachineContext(&stream)),
        no_context(new MachineContext(nullptr)),
        device(machine, allocator) {
    with_stream.stream = &stream;
    with_stream.default_context = context;
  }
  ~Parts() {
    context->Unref();
    no_context->Unref();
  }

  // A tensor for the job, where the kernel wants to have it.
  tf::Tensor job_for(const tf::OpKernel &kernel, const std::vector<double> &job) {
    const bool is_on_host = kernel.input_memory_types()[0] == tf::HOST_MEMORY;
    tf::AllocatorAttributes attributes;
    attributes.set_on_host(is_on_host);
    const tf::TensorShape shape({static_cast<int64_t>(job.size())});
    tf::Tensor tensor(device.GetAllocator(attributes), tf::DT_DOUBLE, shape);
    const size_t bytes = job.size() * sizeof(double);
    if (is_on_host) std::copy(job.begin(), job.end(), static_cast<double *>(tensor.data()));
    else machine.write(tensor.data(), job.data(), bytes);
    return tensor;
  }

  void choose_stream(StreamOf wanted, tf::OpKernelContext::Params *params) {
    const bool has_device_stream = wanted == StreamOf::DEVICE && machine.stream() != nullptr;
    device.set_tensorflow_accelerator_device_info(has_device_stream ? &with_stream : nullptr);
    if (wanted == StreamOf::RUN) params->op_device_context = context;
    if (wanted == StreamOf::NOTHING) params->op_device_context = no_context;
  }

  Machine &machine;
  MachineAllocator allocator;
  MachineStream stream;
  MachineContext *context, *no_context;
  MachineDevice device;
  tf::DeviceBase::AcceleratorDeviceInfo with_stream;
  std::vector<tf::Tensor> tensors;
};

Framework::Framework(Machine &machine) : parts_(std::make_unique<Parts>(machine)) {}
Framework::~Framework() = default;

size_t Framework::add(size_t count) {
  // The type means nothing to the operation, but its list of types should not be all the same.
  auto &all = parts_->tensors;
  const tf::DataType type = all.size() % 2 == 0 ? tf::DT_FLOAT : tf::DT_INT32;
  all.emplace_back(&parts_->allocator, type, tf::TensorShape({static_cast<int64_t>(count)}));
  return all.size() - 1;
}

void *Framework::data(size_t tensor) const { return parts_->tensors[tensor].data(); }

int Framework::clear() {
  parts_->tensors.clear();
  return parts_->allocator.pieces;
}

Outcome Framework::run(const Run &run) {
  Parts &own = *parts_;
  absl::Status status;
  const auto kernel = tf::CreateOpKernel(tf::DeviceType(own.machine.device()), &own.device,
                                         &own.allocator, node_of(run, own.tensors),
                                         TF_GRAPH_DEF_VERSION, &status);
  if (!status.ok()) return outcome_of(status);
  tf::Tensor job = own.job_for(*kernel, run.job);
  std::vector<tf::TensorValue> inputs = {tf::TensorValue(&job)};
  for (const size_t tensor : run.tensors) inputs.emplace_back(&own.tensors[tensor]);
  tf::OpKernelContext::Params params;
  params.device = &own.device;
  params.op_kernel = kernel.get();
  params.inputs = inputs;
  own.choose_stream(run.stream, &params);
  tf::OpKernelContext context(&params);
  own.device.Compute(kernel.get(), &context);
  return outcome_of(context.status());
}
