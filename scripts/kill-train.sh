#!/usr/bin/env bash
# Kills "pppq train" with signal 9 twenty times, and wants after each that a model loads and answers.
#
#   scripts/kill-train.sh [PROGRAM] [TIMES]     without PROGRAM it is built
#
# Odd tries are killed anywhere in the run, whose length a first, whole one measures; even ones while it writes: up to 0.08
# seconds after its temporary folder appeared. Two tries before start from empty folders, where "loads" means that the
# next start can train.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
workplace
times=${2:-20}
program "${@:1:1}"
cd "$WORK"

# Seconds times a random number between the given shares.
moment() {
	awk -v t="$1" -v from="$2" -v to="$3" -v r="$RANDOM" 'BEGIN { printf "%.3f", t * (from + (to - from) * r / 32767) }'
}

# train_and_kill SECONDS [writing]: starts a training and kills it after that time, counted from its start or from when it
# began to write; says whether it had ended by itself.
train_and_kill() {
	"$PROGRAM" train --promote >train.out 2>&1 &
	local pid=$!
	STARTED+=("$pid")
	if [ $# -gt 1 ]; then
		while kill -0 "$pid" 2>/dev/null && ! compgen -G 'models/pppq/.tmp-*' >/dev/null; do
			sleep 0.002
		done
	fi
	sleep "$1"
	how="after $1 s"
	if [ $# -gt 1 ]; then
		how="$1 s into writing"
	fi
	if kill -9 "$pid" 2>/dev/null; then
		wait "$pid" 2>/dev/null || true
		killed=$((killed + 1))
		how="killed $how"
	else
		wait "$pid" || fail "train: $(cat train.out)"
		how="had ended $how"
	fi
}

killed=0
for try in 1 2; do
	train_and_kill "$(moment 2 0 1)"
	echo "empty folder, try $try: $how"
	"$PROGRAM" models list >list.out || fail "models list: exit code $?"
	"$PROGRAM" dataset check >check.out || fail "dataset check: exit code $?"
done

start=$(now)
"$PROGRAM" train >train.out || fail "train after the kills: $(cat train.out)"
whole=$(since "$start")
echo "a whole run then takes $whole s"

new=0
killed=0
for try in $(seq "$times"); do
	before=$(cat models/pppq/current)
	if [ $((try % 2)) -eq 1 ]; then
		train_and_kill "$(moment "$whole" 0 1)"
	else
		train_and_kill "$(moment 0.08 0 1)" writing
	fi
	"$PROGRAM" predict Gold --horizon 5 --json >answer.json 2>answer.err || fail "try $try ($how): predict: $(cat answer.err)"
	[ ! -s answer.err ] || fail "try $try ($how): $(cat answer.err)"
	"$PROGRAM" models list >list.out || fail "try $try ($how): models list: exit code $?"
	if grep -q refused list.out; then
		fail "try $try ($how): $(cat list.out)"
	fi
	in_service=$(cat models/pppq/current)
	note="the old version answers"
	if [ "$in_service" != "$before" ]; then
		note="the new version answers"
		new=$((new + 1))
	fi
	echo "try $try: $how; $note"
done

"$PROGRAM" train --promote >train.out || fail "train after all: $(cat train.out)"
"$PROGRAM" models prune --keep 1 >prune.out || fail "prune: $(cat prune.out)"
left=$(find models data -name '*tmp*' | wc -l)
[ "$left" -eq 0 ] || fail "$left temporary files left: $(find models data -name '*tmp*')"
echo "kill-train: $times tries, $killed killed and the others ended before; $new put a new version into service; after every one a model answered"
