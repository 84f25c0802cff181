# What the scripts beside this file share; they source it. PROGRAM is the program to try.

# program takes the path of the program from the first argument, or builds it.
program() {
	if [ $# -gt 0 ]; then
		PROGRAM=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
	else
		(cd "$(dirname "${BASH_SOURCE[0]}")/.." && CGO_ENABLED=0 go build -o "$WORK/pppq" ./cmd/pppq)
		PROGRAM=$WORK/pppq
	fi
}

# workplace makes the folder WORK, which goes when the script ends, along with the processes it started.
workplace() {
	WORK=$(mktemp -d "${TMPDIR:-/tmp}/pppq-XXXXXX")
	STARTED=()
	trap 'leave' EXIT
}

leave() {
	local code=$?
	for pid in ${STARTED[@]+"${STARTED[@]}"}; do
		kill -9 "$pid" 2>/dev/null || true
	done
	rm -rf "$WORK"
	exit "$code"
}

fail() {
	echo "FAIL: $*" >&2
	exit 1
}

# now is the time in seconds, with a fraction.
now() {
	date +%s.%N
}

# since START is the time gone by, in seconds.
since() {
	awk -v a="$1" -v b="$(now)" 'BEGIN { printf "%.2f", b - a }'
}

# free_port asks the system for a port on which nobody listens: the program itself, told to choose one.
serve() {
	# serve FOLDER [FLAGS]: starts the service on a port that the system chooses; sets PID and ADDRESS.
	local folder=$1
	shift
	"$PROGRAM" serve --port 0 --data-dir "$folder/data" --models-dir "$folder/models" "$@" >"$WORK/serve.log" 2>"$WORK/serve.err" &
	PID=$!
	STARTED+=("$PID")
	for _ in $(seq 1000); do
		ADDRESS=$(sed -n 's/.* serves on \(http:\/\/[^ ]*\) .*/\1/p' "$WORK/serve.err")
		if [ -n "$ADDRESS" ]; then
			return
		fi
		kill -0 "$PID" 2>/dev/null || fail "the service ended: $(cat "$WORK/serve.err")"
		sleep 0.005
	done
	fail "the service gave no address in time"
}

# stop ends the service as a container would, and wants a calm end.
stop() {
	kill -TERM "$PID"
	wait "$PID" || fail "the service ended with exit code $?"
}
