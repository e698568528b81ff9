# Builds and runs the check of the operation; sourced after prepare.sh. Leaves in $operation 0: all
# right; 1: a case failed, or the build did; 3: something is not there.

find_tensorflow() {
  python3 -c '
import importlib.util
found = importlib.util.find_spec("tensorflow")
print(found.submodule_search_locations[0] if found else "")'
}

find_node_headers() {
  node -p 'path.resolve(process.execPath, "../../include/node")' 2>/dev/null || :
}

made=$work/operation
library=libtensorflow_framework.so.2

# The folder that nvcc looks in first for headers (INCLUDES, I) or libraries (LIBRARIES, L).
toolkit_folders() {
  "$nvcc" --dryrun -x cu -c /dev/null 2>&1 | sed -n "s/^#\\$ $1=//p" | grep -o "\-$2[^\"]*"
}

# compile SOURCE FLAG...: one C++ source, as packages/tensor/src/native/build-operations.ts does it
compile() {
  source=$1
  shift
  g++ -O2 -std=c++17 -fPIC -w "$@" "-I$kernels/native" "-I$kernels/cuda" "-I$headers" \
    "-I$tensorflow/include" "-I$tensorflow/include/external/farmhash_archive/src" \
    $(toolkit_folders INCLUDES I) -c "$source" -o "$made/$(basename "$source").o" ||
    touch "$made/failed"
}

# The addon of the operation, and the program that loads it in place of Node: that has the C bodies
# too, which lie in an addon of their own there.
build_operation() {
  for source in ops stream; do
    compile "$kernels/native/$source.cc" -fvisibility=hidden -DLAB_CUDA \
      '-DLAB_OPERATION="LabKernelsCheck"' &
  done
  for source in "$here"/operation/*.cc; do
    compile "$source" &
  done
  ls "$kernels"/*.c "$kernels"/native/team.c "$kernels"/native/tile.c | xargs -P "$(nproc)" -I {} \
    sh -c 'cc -O3 -std=gnu17 -ffp-contract=off -fno-math-errno -fno-trapping-math -march=native \
      -pthread -w -c "$1" -o "$2/$(basename "$1").o"' compile {} "$made" || touch "$made/failed"
  wait
  [ ! -e "$made/failed" ] || return 1
  mkdir "$made/addon"
  mv "$made"/ops.cc.o "$made"/stream.cc.o "$made/addon"
  bodies=$(ls "$work"/*.o | grep -v '/driver')
  g++ -shared "$made"/addon/*.o $bodies $(toolkit_folders LIBRARIES L) -lcudart_static -lpthread \
    -ldl -lrt "$tensorflow/$library" "-Wl,-rpath,$tensorflow" -o "$made/addon/operation.node" ||
    return 1
  g++ -rdynamic "$made"/*.o "$tensorflow/$library" "-Wl,-rpath,$tensorflow" -lpthread -ldl \
    -o "$made/check"
}

check_operation() {
  mkdir -p "$made"
  if ! build_operation; then
    echo "the check of the operation did not build" >&2
    return 1
  fi
  echo "checking the operation" >&2
  export TF_CPP_MIN_LOG_LEVEL=3 TF_ENABLE_ONEDNN_OPTS=0
  result=0
  cpu=$("$made/check" "$work/cases" "$made/addon/operation.node" CPU) || result=1
  gpu=$("$made/check" "$work/cases" "$made/addon/operation.node" GPU) || result=1
  printf '[%s, %s]' "$cpu" "$gpu" | python3 -m json.tool --indent 2 >"$out/operation.json"
  cat "$out/operation.json"
  return "$result"
}

operation=0
tensorflow=${TENSORFLOW:-$(find_tensorflow)}
headers=${NODE_HEADERS:-$(find_node_headers)}
if [ ! -e "$tensorflow/$library" ]; then
  echo "no TensorFlow: the operation is not checked" >&2
  operation=3
elif [ ! -e "$headers/node_api.h" ]; then
  echo "no headers of Node: the operation is not checked" >&2
  operation=3
else
  check_operation || operation=1
fi
