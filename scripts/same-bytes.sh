#!/usr/bin/env bash
# Trains twice with one seed, on one thread and on two, and compares the bundles byte by byte: only manifest.json, which
# holds version, time and a checksum of itself, may differ. Looks too for durations, host name and folders in the files.
#
#   scripts/same-bytes.sh [PROGRAM]     without PROGRAM it is built
set -euo pipefail
. "$(dirname "$0")/lib.sh"
workplace
program "$@"
cd "$WORK"

for threads in 1 2; do
	mkdir "threads-$threads"
	start=$(now)
	GOMAXPROCS=$threads "$PROGRAM" train --seed 7 --data-dir "threads-$threads/data" --models-dir "threads-$threads/models" >"train-$threads.out"
	echo "trained with GOMAXPROCS=$threads in $(since "$start") s"
	version=$(cat "threads-$threads/models/pppq/current")
	mv "threads-$threads/models/pppq/$version" "bundle-$threads"
done

cmp train-1.out <(sed "s/$version/$(sed -n 's/^version \([^ ]*\) .*/\1/p' train-1.out)/" train-2.out) || fail "the two runs printed different figures"
diff -r --exclude manifest.json bundle-1 bundle-2 || fail "the bundles differ"
varying='s/"\(version\|created\|checksum\)": "[^"]*"/"\1"/'
diff <(sed "$varying" bundle-1/manifest.json) <(sed "$varying" bundle-2/manifest.json) ||
	fail "the manifests differ in more than version, time and their own checksum"
if grep -rlwF -e "$WORK" -e "$(uname -n)" bundle-1; then
	fail "these files hold the name of a folder or of this machine"
fi
echo "same-bytes: $(find bundle-1 -type f ! -name manifest.json | wc -l) files, $(cat bundle-1/* | wc -c) bytes, are the same; manifest.json differs in version, time and its own checksum"
