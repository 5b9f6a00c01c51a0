#!/bin/sh
# From nothing to CSV rows: installs what is missing, builds Patchbay into build/, starts it on a free port with
# etc/demo/routes.yaml in a fresh folder, plays all three providers with signed events, and shows what came out.
# It keeps serving until Ctrl-C.
#
#   --check  verifies instead that the events of every provider arrived, and stops; exit code 0 only if they did
set -eu
cd "$(dirname "$0")/.."
top=$(pwd)

check=
case "$#:${1:-}" in
0:) ;;
1:--check) check=yes ;;
*)
	echo "usage: $0 [--check]" >&2
	exit 2
	;;
esac

say()
{
	printf '\n== %s\n' "$*"
}

sh packaging/install-build-deps.sh

say "building into build/"
if [ ! -f build/CMakeCache.txt ]; then
	cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=OFF >/dev/null
fi
cmake --build build >/dev/null || {
	cmake --build build # once more, to show what is wrong
	exit 1
}

demo=$(mktemp -d "${TMPDIR:-/tmp}/patchbay-demo.XXXXXX")
server=
finish()
{
	if [ -n "$server" ]; then
		kill "$server" 2>/dev/null || true
		wait "$server" 2>/dev/null || true
		server=
	fi
	[ -z "$check" ] || rm -rf "$demo"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

port=$(python3 -c '
import socket
for port in (8080, 0):
    s = socket.socket()
    try:
        s.bind(("127.0.0.1", port))
    except OSError:
        continue
    print(s.getsockname()[1])
    break
')
sed -e "s|^listen: .*|listen: 127.0.0.1:$port|" -e "s|/tmp/patchbay-demo|$demo|" etc/demo/routes.yaml >"$demo/routes.yaml"
mkdir "$demo/export"

random_hex() # BYTES
{
	od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'
}
FLEET_SECRET=$(random_hex 16)
LEARNING_KEY=$(random_hex 18)
export FLEET_SECRET LEARNING_KEY
export PATCHBAY_PLUGIN_PATH="$top/build/plugins"
patchbay=$top/build/patchbay
cd "$demo"

say "starting on http://127.0.0.1:$port"
"$patchbay" check -c routes.yaml
"$patchbay" serve -c routes.yaml 2>daemon.log &
server=$!

sent_ok() # SOURCE EVENT [COUNT]
{
	"$patchbay" send "$1" "$2" -c routes.yaml --count "${3:-1}" >send.out 2>&1
}

tries=0
until python3 -c "import socket; socket.create_connection(('127.0.0.1', $port)).close()" 2>/dev/null; do
	tries=$((tries + 1))
	if [ $tries -gt 100 ] || ! kill -0 "$server" 2>/dev/null; then
		echo "the daemon did not start:" >&2
		cat daemon.log >&2
		exit 1
	fi
	sleep 0.1
done

say "playing the three providers"
fleet=0 campus=0 learning=0
play() # SOURCE EVENT COUNT
{
	echo "\$ patchbay send $1 $2 --count $3"
	if ! sent_ok "$@"; then
		cat send.out >&2
		echo "could not send; the daemon's log:" >&2
		cat daemon.log >&2
		exit 1
	fi
	eval "$1=\$(($1 + $3))"
}
play fleet fault_code_opened 3
play fleet driver_performance_event_updated 2
play fleet vehicle_location_updated 2
play campus course_completed 2
play campus quiz_attempt 1
play learning course_completed 2
play learning badge_earned 2
echo "\$ patchbay send fleet fault_code_opened --bad-signature        (must be refused)"
if ! "$patchbay" send fleet fault_code_opened --bad-signature -c routes.yaml >send.out 2>&1; then
	echo "a wrongly signed event was accepted" >&2
	exit 1
fi

rows() # SOURCE: its rows in the export of everything
{
	cat export/everything* 2>/dev/null | awk -F, -v source="$1" '$3 == source { n++ } END { print n + 0 }'
}
arrived()
{
	[ "$(rows fleet)" -eq "$fleet" ] && [ "$(rows campus)" -eq "$campus" ] && [ "$(rows learning)" -eq "$learning" ]
}
tries=0
until arrived || [ $tries -gt 100 ]; do
	tries=$((tries + 1))
	sleep 0.1
done

say "what came out"
for file in export/*; do
	echo "$file"
	sed 's/^/    /' "$file"
	echo
done
say "what came in: patchbay events"
"$patchbay" events -c routes.yaml

if ! arrived; then
	say "NOT everything arrived: fleet $(rows fleet) of $fleet, campus $(rows campus) of $campus, learning $(rows learning) of $learning"
	cat daemon.log
	exit 1
fi
say "all arrived: $fleet events of fleet (Motive), $campus of campus (Innovative Educators), $learning of learning (Motivate)"
[ -z "$check" ] || exit 0

cat <<END

Patchbay goes on serving until Ctrl-C. Its folder, which stays: $demo
In another terminal:

    cd $demo
    export PATCHBAY_PLUGIN_PATH=$PATCHBAY_PLUGIN_PATH FLEET_SECRET=$FLEET_SECRET LEARNING_KEY=$LEARNING_KEY
    $patchbay send fleet fault_code_opened --count 100 -c routes.yaml
    $patchbay send fleet --list -c routes.yaml
    $patchbay events -c routes.yaml
    $patchbay show ID -c routes.yaml
    tail -f export/everything.csv

Then edit routes.yaml there, or start your own: README.md says how.
END
wait "$server"
