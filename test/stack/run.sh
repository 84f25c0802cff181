#!/bin/sh
# Builds the image, starts the production stack for real and runs the tests of
# e2e against it; `make stack`. Without a registry the images come from
# standins.sh. Needs a Docker engine that answers, or dockerd to start one, and
# root for the latter. Always takes down what it started.
set -eu
. "$(dirname "$0")/lib.sh"
part "tools"
PPPQ_TOOLS=$("$HERE/tools.sh")
export PPPQ_TOOLS

started=
cleanup() {
	if [ -d "$W/checkout" ]; then
		(cd "$W/checkout" && docker compose -f docker-compose.prod.yml --profile backup down -v --remove-orphans > "$W/down.log" 2>&1) || true
	fi
	if [ -n "$started" ]; then
		kill "$started" 2> /dev/null || true
		wait "$started" 2> /dev/null || true
	fi
}
trap cleanup EXIT
trap 'exit 1' INT TERM

if ! docker info > /dev/null 2>&1; then
	command -v dockerd > /dev/null || { echo "SKIPPED: no Docker engine answers and there is no dockerd (Debian: apt-get install docker.io iptables debootstrap)"; exit 0; }
	part "engine"
	export DOCKER_HOST="unix://$W/docker.sock"
	dockerd -H "$DOCKER_HOST" --data-root "$W/engine" --exec-root "$W/exec" --pidfile "$W/dockerd.pid" --log-level warn > "$W/dockerd.log" 2>&1 &
	started=$!
	n=0
	until docker info > /dev/null 2>&1; do
		n=$((n + 1))
		[ "$n" -lt 60 ] || { echo "the engine does not start; see $W/dockerd.log" >&2; exit 1; }
		sleep 1
	done
fi
part "stand-ins"
"$HERE/standins.sh"

part "image"
cd "$ROOT"
ref=$(git rev-parse HEAD)
date=$(TZ=UTC git log -1 --format=%cd --date=format-local:%Y-%m-%dT%H:%M:%SZ)
DOCKER_BUILDKIT=1 docker build -q --build-arg GO_IMAGE=standin/golang --build-arg VCS_REF="$ref" --build-arg BUILD_DATE="$date" -f docker/Dockerfile -t pppq-api:1.0.0 . > /dev/null
printf 'FROM pppq-api:1.0.0\nLABEL next=yes\n' | docker build -q -t pppq-api:next - > /dev/null
size=$(docker image inspect -f '{{.Size}}' pppq-api:1.0.0)
echo "image: $size bytes"
[ "$size" -le 26214400 ] || { echo "the image is larger than 25 MiB" >&2; exit 1; }
if docker run --rm --entrypoint sh pppq-api:1.0.0 -c true > /dev/null 2>&1; then echo "the image has a shell" >&2; exit 1; fi
container=$(docker create pppq-api:1.0.0)
docker cp "$container:/usr/local/bin/pppq" "$W/pppq"
docker rm "$container" > /dev/null
CGO_ENABLED=0 go build -trimpath -buildvcs=false -tags timetzdata -ldflags "-s -w -X main.version=1.0.0 -X main.revision=$ref -X main.built=$date" -o "$W/pppq.outside" ./cmd/pppq
cmp "$W/pppq" "$W/pppq.outside" && echo "the program is the same in the image and outside: $(sha256sum < "$W/pppq" | cut -c1-64)"

part "stack"
rm -rf "$W/checkout"
mkdir "$W/checkout"
git archive HEAD | tar x -C "$W/checkout"
cd "$W/checkout"
docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/work" -w /work pppq-api:1.0.0 init production > /dev/null
sed -i -e 's|^NGINX_IMAGE=.*|NGINX_IMAGE=standin/nginx:latest|' -e 's|^PROMETHEUS_IMAGE=.*|PROMETHEUS_IMAGE=standin/prometheus:latest|' \
	-e 's|^POSTGRES_IMAGE=.*|POSTGRES_IMAGE=standin/postgres:latest|' -e 's|^PULL_POLICY=.*|PULL_POLICY=never|' \
	-e "s|^HTTP_PORT=.*|HTTP_PORT=${PPPQ_HTTP_PORT:-18080}|" -e "s|^HTTPS_PORT=.*|HTTPS_PORT=${PPPQ_HTTPS_PORT:-18443}|" -e "s|^PROMETHEUS_PORT=.*|PROMETHEUS_PORT=${PPPQ_PROMETHEUS_PORT:-19090}|" .env.prod
docker compose -f docker-compose.prod.yml up -d --wait > "$W/up.log" 2>&1 || { cat "$W/up.log"; exit 1; }
part "end to end"
cd "$HERE"
PPPQ_STACK_DIR=$W/checkout PPPQ_IMAGE_NEXT=pppq-api:next go test -count=1 -timeout 25m -v ./e2e
part "done"
