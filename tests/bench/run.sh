#!/bin/sh
# How fast Patchbay accepts, measured side by side in one run, with one client, against
#   (a) the same libmicrohttpd that answers an empty 200 to the same requests, and
#   (b) the disk: appends of one event's size, each with its own fdatasync.
# Signed Motive bodies of about 640 bytes, each with an id of its own, keep-alive; a 200 means durable.
# Prints a table of requests/s, p50, p99 and the ratios. Take the ratios seriously, not the rates: they are of the
# same machine in the same minute.
#
#   sh tests/bench/run.sh [SECONDS [CONNECTIONS...]]      default: 5, and 1 16 64 256 128 384 512
set -eu
cd "$(dirname "$0")/../.."
seconds=${1:-5}
[ $# -gt 0 ] && shift
counts=${*:-1 16 64 256 128 384 512}

sh packaging/install-build-deps.sh --tests
tree=build/bench
[ -f $tree/CMakeCache.txt ] || cmake -S . -B $tree -G Ninja -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=OFF >/dev/null
cmake --build $tree >/dev/null
for program in empty200 syncrate; do
	cc -O2 -std=c17 -D_GNU_SOURCE -Wall -Wextra -Werror -o $tree/$program tests/bench/$program.c -lmicrohttpd
done

ulimit -n "$(ulimit -H -n)" 2>/dev/null || true
export PATCHBAY_PLUGIN_PATH="$PWD/$tree/plugins"
secret=d9d36bea41c44ae49d1bfc4a48ba2abe
event_bytes=1000 # one such event in the journal: its envelope and its body
host=127.0.0.1
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')

server=
work=$(mktemp -d "$PWD/$tree/run.XXXXXX")
finish()
{
	[ -z "$server" ] || kill "$server" 2>/dev/null || true
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

start() # COMMAND...: starts a server and waits until it listens
{
	"$@" >"$work/server.log" 2>&1 &
	server=$!
	python3 - "$host" "$port" <<-'END' && return
	import socket, sys, time
	for _ in range(200):
	    try:
	        socket.create_connection((sys.argv[1], int(sys.argv[2]))).close()
	        sys.exit(0)
	    except OSError:
	        time.sleep(0.05)
	sys.exit(1)
	END
	cat "$work/server.log" >&2
	exit 1
}

stop()
{
	kill "$server"
	wait "$server" 2>/dev/null || true
	server=
}

run=0
load() # CONNECTIONS: sets rate p50 p99 (microseconds) of this run
{
	run=$((run + 1))
	threads=1
	result=$(wrk -t$threads -c"$1" -d"$seconds" --timeout 10 -s tests/bench/signed.lua "http://$host:$port/in/fleet" \
		-- $secret $run | grep '^RESULT')
	set -- $result
	rate=$2 p50=$3 p99=$4
	if [ "$5" -ne 0 ] || [ "$6" -ne 0 ]; then
		echo "  (not all went well: $5 answers were no 2xx, $6 connections broke or timed out)"
	fi
}

routes() # with|without a sink
{
	rm -rf "$work/state" "$work/export"
	mkdir "$work/state" "$work/export"
	cat <<-END
	listen: $host:$port
	journal: $work/state
	sources:
	  fleet:
	    plugin: motive
	    secret: {file: $work/secret}
	END
	[ "$1" = with ] || return 0
	cat <<-END
	sinks:
	  audit:
	    plugin: csv-export
	    path: $work/export/fleet.csv
	    columns: [id, time, source, type, ref: .data.id, vehicle: .data.vehicle_id]
	routes:
	  - {from: fleet, to: audit}
	END
}

rows()
{
	cat "$work"/export/fleet* 2>/dev/null | wc -l
}

drained() # prints in how many seconds after the load the CSV had come to rest, and how many rows it has
{
	began=$(date +%s%N)
	last=-1
	now=$(rows)
	while [ "$now" != "$last" ]; do
		end=$(date +%s%N)
		sleep 0.5
		last=$now
		now=$(rows)
	done
	echo "$(((end - began) / 1000000)) $((now - 1))"
}

printf '%s' $secret >"$work/secret"
chmod 600 "$work/secret"

set -- $($tree/syncrate "$work" $event_bytes 3)
disk=$1
printf 'disk: %s fdatasync/s of %s bytes, one by one (p50 %s us, p99 %s us)\n' "$1" $event_bytes "$2" "$3"
printf 'load: wrk on this machine, %s cores, %s s for each figure\n\n' "$(nproc)" "$seconds"
printf '%5s | %9s %7s | %9s %7s %7s %6s %6s | %9s %7s %7s %6s %s\n' conn 'empty 200' p99 durable p50 p99 ratio 'x disk' \
	'with CSV' p50 p99 ratio '  CSV complete'
printf '%5s | %9s %7s | %9s %7s %7s %6s %6s | %9s %7s %7s %6s %s\n' '' 'req/s' ms 'req/s' ms ms 'to 200' '' 'req/s' ms ms 'to 200' '  after'

ms()
{
	awk "BEGIN { printf \"%.1f\", $1 / 1000 }"
}
ratio()
{
	awk "BEGIN { printf \"%.2f\", $1 / $2 }"
}

for count in $counts; do
	start $tree/empty200 $host "$port"
	load "$count"
	stop
	ceiling=$rate
	printf '%5s | %9s %7s ' "$count" "$rate" "$(ms "$p99")"

	routes without >"$work/routes.yaml"
	start $tree/patchbay serve -c "$work/routes.yaml"
	load "$count"
	stop
	printf '| %9s %7s %7s %6s %6s ' "$rate" "$(ms "$p50")" "$(ms "$p99")" "$(ratio "$rate" "$ceiling")" "$(ratio "$rate" "$disk")"

	routes with >"$work/routes.yaml"
	start $tree/patchbay serve -c "$work/routes.yaml"
	load "$count"
	set -- $(drained)
	stop
	printf '| %9s %7s %7s %6s   %s ms, %s rows\n' "$rate" "$(ms "$p50")" "$(ms "$p99")" "$(ratio "$rate" "$ceiling")" "$1" "$2"
done
