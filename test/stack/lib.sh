# What the scripts of this folder share. W keeps downloads and images' sources
# between runs; DOCKER_CONFIG holds the plug-ins.
# shellcheck shell=sh disable=SC2034
W=${PPPQ_STACK_CACHE:-${TMPDIR:-/tmp}/pppq-stack}
HERE=$(cd "$(dirname "$0")" && pwd)
ROOT=$(cd "$HERE/../.." && pwd)
MIRROR=${DEBIAN_MIRROR:-$(awk '/^URIs:/{print $2; exit}' /etc/apt/sources.list.d/debian.sources 2> /dev/null || echo http://deb.debian.org/debian)}
export DOCKER_CONFIG="$W/config"
mkdir -p "$W"
# part NAME begins a part of a run, and says how long the one before took.
part() {
	now=$(date +%s)
	[ -z "${part_name:-}" ] || { printf '== %s took %d s\n' "$part_name" $((now - part_began)); }
	part_name=$1
	part_began=$now
	[ "$1" = end ] || printf '== %s  %s\n' "$(date -u +%H:%M:%S)" "$1"
}
