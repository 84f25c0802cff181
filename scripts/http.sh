#!/usr/bin/env bash
# Starts the service on a free port of this machine, asks it what is right and what is wrong, and damages the model under
# it. Each line shows the status and what was sent; a wrong status fails.
#
#   scripts/http.sh [PROGRAM]     without PROGRAM it is built
set -euo pipefail
. "$(dirname "$0")/lib.sh"
workplace
program "$@"
cd "$WORK"

"$PROGRAM" up --once >up.out
cp -r models models.good
serve .
wrong=0

# want STATUS PATH [BODY] [TEXT]: GET, or POST if there is a third argument; TEXT must stand in the answer.
want() {
	local status=$1 path=$2 got
	if [ $# -gt 2 ]; then
		got=$(curl -s -o answer -w '%{http_code}' -H 'Content-Type: application/json' --data-binary "$3" "$ADDRESS$path")
	else
		got=$(curl -s -o answer -w '%{http_code}' "$ADDRESS$path")
	fi
	local note=""
	if [ "$got" != "$status" ]; then
		note="  WRONG, want $status: $(head -c 300 answer)"
		wrong=$((wrong + 1))
	elif [ $# -gt 3 ] && ! grep -qF -- "$4" answer; then
		note="  WRONG, no $4 in: $(head -c 300 answer)"
		wrong=$((wrong + 1))
	fi
	echo "$got $path ${3:-}$note"
}

predict=/api/v1/predict
want 200 /health
want 200 /livez
want 200 /readyz
want 200 /
want 200 /metrics
want 200 /api/v1/assets
want 200 $predict '{"asset":"Gold","horizon_years":5,"model_type":"ensemble"}' '"predicted_class"'
want 200 $predict '{"asset":"bills","horizon_years":2.25,"model_type":"lgbm"}' '"contributions"'
want 200 /api/v1/compare '{"assets":["SP500","Gold","Bills","Banknotes"],"horizon_years":10}' Banknotes
want 400 $predict '' empty
want 400 $predict '{"asset":"Gold",' JSON
want 400 $predict '{"asset":"Gold","horizon_years":NaN}' horizon_years
want 400 $predict '{"asset":"Gold","horizon_years":1e999}' horizon_years
want 422 $predict '{}' /asset
want 422 $predict '{"asset":"Gold","horizon_years":0}' /horizon_years
want 422 $predict '{"asset":"Gold","horizon_years":11}' /horizon_years
want 422 $predict '{"asset":"Gold","horizon_years":"five"}' /horizon_years
want 422 $predict '{"asset":"Gold","horizon_years":5,"model_type":"catboost"}' /model_type
want 404 $predict '{"asset":"Godl","horizon_years":5}' '"near":["Gold"'
want 404 /api/v1/nothing

# A version that is half written, cut or damaged does not take over, and the one in service goes on.
version=$(cat models/pppq/current)
later=29990101T000000Z-0000
mkdir "models/pppq/$later"
head -c 1000 "models/pppq/$version/lightgbm.txt" >"models/pppq/$later/lightgbm.txt"
echo "$later" >models/pppq/current.new && mv models/pppq/current.new models/pppq/current
sleep 3
want 200 $predict '{"asset":"Gold","horizon_years":5}' "$version"
echo "    with a half-written version named as current: $version answers"
rm -r "models/pppq/$later"
echo "$version" >models/pppq/current.new && mv models/pppq/current.new models/pppq/current
truncate -s 5000 "models/pppq/$version/core.json"
sleep 3
want 200 $predict '{"asset":"Gold","horizon_years":5}' "$version"
echo "    with core.json cut under the running service: $version answers"
stop
grep '"level":"\(WARN\|ERROR\)"' serve.log | cut -c 1-300 >said || fail "the service said nothing of it"
sed 's/^/    /' said
grep -q "$later" said || fail "the log does not name what was refused"

# A start that finds nothing good says so and waits for a version.
serve .
want 503 /health
want 503 $predict '{"asset":"Gold","horizon_years":5}'
"$PROGRAM" predict Gold 2>refused.err && fail "predict answered from a damaged model"
sed 's/^/    /' refused.err
grep -q core.json refused.err || fail "the damaged file is not named"
rm -r models && cp -r models.good models
for _ in $(seq 100); do
	[ "$(curl -s -o /dev/null -w '%{http_code}' "$ADDRESS/health")" = 200 ] && break
	sleep 0.1
done
want 200 $predict '{"asset":"Gold","horizon_years":5}' "$version"
echo "    after the files were put back, without a restart"
stop

[ "$wrong" -eq 0 ] || fail "$wrong wrong answers"
echo "http: every answer as it should be"
