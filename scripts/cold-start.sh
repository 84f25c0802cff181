#!/usr/bin/env bash
# Measures what a newcomer waits for: "up --once" from nothing with its peak memory, and from the second start to the
# first answered request. Times are printed and not judged; more than 500 MiB fails.
#
#   scripts/cold-start.sh [PROGRAM]     without PROGRAM it is built
set -euo pipefail
. "$(dirname "$0")/lib.sh"
workplace
program "$@"
cd "$WORK"

# The peak of the resident memory is read from /proc every tenth of a second.
start=$(now)
"$PROGRAM" up --once >up.out 2>up.err &
PID=$!
STARTED+=("$PID")
peak=0
while kill -0 "$PID" 2>/dev/null; do
	seen=$(sed -n 's/^VmHWM:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$PID/status" 2>/dev/null || true)
	if [ -n "$seen" ]; then
		peak=$seen
	fi
	sleep 0.1
done
wait "$PID" || fail "up --once: $(cat up.err)"
echo "up --once from nothing: $(since "$start") s, at most $((peak / 1024)) MiB resident ($(nproc) processors)"
[ "$peak" -lt 512000 ] || fail "up --once took $((peak / 1024)) MiB, want at most 500"
grep -q '^Bitcoin *10 ' up.out || fail "no closing table in: $(cat up.out)"
[ ! -s up.err ] || fail "up --once said: $(cat up.err)"
if grep -q $'[\r\033]' up.out; then
	fail "control characters in piped output"
fi

for try in 1 2 3; do
	start=$(now)
	serve .
	until curl -sf -o answer.json -H 'Content-Type: application/json' \
		-d '{"asset":"Gold","horizon_years":5}' "$ADDRESS/api/v1/predict"; do
		kill -0 "$PID" 2>/dev/null || fail "the service ended: $(cat serve.err)"
		sleep 0.005
	done
	echo "second start to first answered forecast, try $try: $(since "$start") s"
	stop
done
echo "cold-start: done"
