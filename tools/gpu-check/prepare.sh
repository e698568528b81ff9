# What run.sh and operation/run.sh begin with, which source it: $here is this folder. Leaves the
# compiler in $nvcc, objects of the kernels in $work, the cases in $work/cases, and in $out the
# folder of the results.
if [ $# -lt 1 ]; then
  echo "usage: $0 FOLDER [--small]" >&2
  exit 2
fi
mkdir -p "$1"
out=$(cd "$1" && pwd)
kernels=$(cd "$here/../../packages/tensor/kernels" && pwd)

nvcc=$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)
if [ ! -x "$nvcc" ]; then
  echo "nvcc not found" >&2
  exit 3
fi
if ! nvidia-smi -L 2>/dev/null | grep -q GPU; then
  echo "no GPU" >&2
  exit 3
fi

export PYTHONDONTWRITEBYTECODE=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

echo "building" >&2
build() {
  ls "$kernels"/cuda/*.cu | xargs -P "$(nproc)" -I {} sh -c \
    '"$1" -O3 -std=c++17 "$2" -Xcompiler -fPIC -c "$3" -o "$4/$(basename "$3" .cu).o"' \
    build "$nvcc" "$1" {} "$work"
}
if ! build -arch=native 2>"$work/native.log" && ! build -arch=sm_90; then
  echo "the kernels did not build" >&2
  exit 1
fi

echo "making cases" >&2
python3 "$here/make_cases.py" "$work/cases" ${2:+"$2"}
