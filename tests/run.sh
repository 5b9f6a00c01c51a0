#!/bin/sh
# Everything from nothing: installs what is missing, builds Patchbay plainly and under the sanitizers, runs all
# tests of all three builds in one ctest run, and so ends with one summary and one exit code.
#
#   build/tests/plain    every test
#   build/tests/address  every test, under AddressSanitizer, LeakSanitizer and UndefinedBehaviorSanitizer
#   build/tests/thread   unit tests and what is about threads, under ThreadSanitizer
#
# Arguments go to ctest: sh tests/run.sh -R repeats
set -eu
cd "$(dirname "$0")/.."
jobs=$(nproc 2>/dev/null || echo 2)
all=build/tests

sh packaging/install-build-deps.sh --tests

build() # NAME SANITIZER
{
	echo "building $all/$1"
	if cmake -S . -B "$all/$1" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DPATCHBAY_SANITIZE="$2" \
		-DBUILD_TESTING=ON >"$all/$1.log" 2>&1 &&
		cmake --build "$all/$1" >>"$all/$1.log" 2>&1; then
		return
	fi
	tail -n 60 "$all/$1.log"
	echo "$0: the build in $all/$1 failed; all of its output is in $all/$1.log" >&2
	exit 1
}

mkdir -p "$all"
build plain ""
build address address
build thread thread
printf 'subdirs(plain address thread)\n' >"$all/CTestTestfile.cmake"

# A behaviour test mostly waits, so two more of them than there are cores run well at once.
cd "$all"
exec ctest --output-on-failure -j $((jobs + 2)) "$@"
