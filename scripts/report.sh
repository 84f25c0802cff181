#!/usr/bin/env bash
# Runs the walk-forward test by itself, with the report as a page and as JSON, and looks at both: one self-contained page
# with pictures, and numbers that agree with what a training measures.
#
#   scripts/report.sh [PROGRAM]     without PROGRAM it is built
set -euo pipefail
. "$(dirname "$0")/lib.sh"
workplace
program "$@"
cd "$WORK"

start=$(now)
"$PROGRAM" backtest --html report.html --json >report.json 2>report.err || fail "backtest: $(cat report.err)"
echo "backtest with its page: $(since "$start") s"
[ ! -e models/pppq/current ] || fail "a backtest put a model into service"
grep -q '<svg' report.html || fail "the page has no picture"
if grep -oE '(src|href|url|action)[=(]["'\'']?(https?:)?//[^"'\'' )>]+' report.html; then
	fail "the page asks other hosts"
fi
"$PROGRAM" train >train.out
"$PROGRAM" backtest >backtest.out
# The first lines of both are the same table.
diff <(sed '/^$/,$d' train.out) <(sed '/^$/,$d' backtest.out) || fail "training and test measure differently"
echo "report: a page of $(wc -c <report.html) bytes with $(grep -o '<svg' report.html | wc -l) pictures, $(wc -c <report.json) bytes of JSON; training measures the same"
