#!/bin/sh
# Writes beside the tags of all images in a settings file the digests that they have today, so that later starts run the
# very same bytes: NAME_IMAGE=repository:tag becomes NAME_IMAGE=repository:tag@sha256:...
#
#   docker/pin.sh [FILE]     .env.prod if no FILE is given
#
# Each image is pulled by its tag; one that has a digest already gets the newer one. If an image can't be pulled nothing
# is written.
set -eu
file=${1:-.env.prod}
[ -f "$file" ] || { echo "pin.sh: there is no $file: make it with \"pppq init production\"" >&2; exit 1; }
new=$(mktemp)
trap 'rm -f "$new"' EXIT
while IFS= read -r line || [ -n "$line" ]; do
	case $line in
	[A-Z]*_IMAGE=?*)
		tagged=${line#*=}
		tagged=${tagged%%@*}
		docker pull -q "$tagged" > /dev/null || { echo "pin.sh: $tagged can't be pulled: $file stays as it is" >&2; exit 1; }
		digest=$(docker image inspect -f '{{range .RepoDigests}}{{println .}}{{end}}' "$tagged" | awk -F@ -v name="${tagged%:*}" '$1 == name { print $2; exit }')
		[ -n "$digest" ] || { echo "pin.sh: $tagged has no digest: $file stays as it is" >&2; exit 1; }
		line=${line%%=*}=$tagged@$digest
		echo "$line"
		;;
	esac
	printf '%s\n' "$line" >> "$new"
done < "$file"
cat "$new" > "$file" # in place: links and modes stay
