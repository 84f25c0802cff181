#!/bin/sh
# Puts another image of the service into place without a lost request:
#
#   docker/rollout.sh IMAGE        as docker/rollout.sh pppq-api:1.1.0
#
# New replicas start beside the old ones and must become ready first; then the
# old ones are told to end, which makes them answer what they have begun, and
# the edge asks the new ones. If a new one does not become ready, the new ones
# go, the old ones stay, and the exit code is 1. At the end PPPQ_IMAGE in the
# settings file names the image, so that a later `up` keeps it.
#
# COMPOSE_FILES (-f docker-compose.prod.yml), ENV_FILE (.env.prod) and
# ROLLOUT_TIMEOUT (120 seconds) may be set.
set -eu
image=${1:?name an image, as pppq-api:1.1.0}
files=${COMPOSE_FILES:--f docker-compose.prod.yml}
env_file=${ENV_FILE:-.env.prod}
timeout=${ROLLOUT_TIMEOUT:-120}

say() { printf '%s %s\n' "$(date -u +%H:%M:%S)" "$*"; }
compose() { # shellcheck disable=SC2086 # files are several words
	PPPQ_IMAGE=$image docker compose --env-file "$env_file" $files "$@"
}

docker image inspect "$image" > /dev/null 2>&1 || docker pull "$image" || { say "there is no image $image"; exit 1; }
old=$(compose ps -q api)
count=$(printf '%s\n' "$old" | grep -c .) || { say "the service does not run: start it with up -d"; exit 1; }
wanted=$(docker image inspect -f '{{.Id}}' "$image")
fresh=1
for c in $old; do
	[ "$(docker inspect -f '{{.Image}}' "$c")" = "$wanted" ] || fresh=0
done
if [ "$fresh" = 1 ]; then
	say "all $count replicas run $image already"
	exit 0
fi

# is_old CONTAINER
is_old() { printf '%s\n' "$old" | grep -qx "$1"; }
new() {
	for c in $(compose ps -aq api); do
		is_old "$c" || printf '%s\n' "$c"
	done
}
back() {
	say "$1: the old replicas stay"
	for c in $(new); do
		docker logs --tail 5 "$c" 2>&1 | sed 's/^/  /' || true
		docker rm -f "$c" > /dev/null
	done
	exit 1
}
trap 'back "interrupted"' INT TERM

say "starting $count replicas of $image beside $count old ones"
compose up -d --no-deps --no-recreate --no-build --scale api=$((count * 2)) api > /dev/null 2>&1 || back "the new replicas did not start"

end=$(($(date +%s) + timeout))
for c in $(new); do
	until docker exec "$c" /usr/local/bin/pppq healthcheck > /dev/null 2>&1; do
		[ "$(docker inspect -f '{{.State.Running}} {{.RestartCount}}' "$c" 2> /dev/null)" = "true 0" ] || back "a new replica ended"
		[ "$(date +%s)" -lt "$end" ] || back "a new replica was not ready within $timeout s"
		sleep 1
	done
done
[ "$(new | grep -c .)" = "$count" ] || back "fewer new replicas than old ones"
# The edge looks the addresses up every two seconds.
sleep 4
trap - INT TERM

say "the new replicas are ready; ending the old ones"
# Each drains by itself: not ready, serving on, then the end. One after the other,
# so that a caller whom one refuses finds the next.
for c in $old; do
	docker stop -t 45 "$c" > /dev/null
	docker rm "$c" > /dev/null
	sleep 3
done
if grep -q '^PPPQ_IMAGE=' "$env_file"; then
	# Written in place: the file keeps its owner, and links to it hold.
	text=$(sed "s|^PPPQ_IMAGE=.*|PPPQ_IMAGE=$image|" "$env_file")
	printf '%s\n' "$text" > "$env_file"
fi
say "done: $count replicas of $image"
