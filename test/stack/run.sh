#!/bin/sh
# Builds the images of HEAD, starts the production and the development stack for
# real, from a registry on loopback, and runs the tests of e2e against them;
# `make stack`. Images of others come from standins.sh. It uses a Docker engine
# that answers, else starts that of Debian forky, or, where that does not run or
# with PPPQ_STACK_ENGINE=machine, the dockerd of this machine. Where none works it
# says so in a line that begins with SKIPPED and exits 0. Always takes down what it
# started.
set -eu
. "$(dirname "$0")/lib.sh"

started=
registry=
cleanup() {
	status=$?
	for file in prod dev; do
		[ ! -d "$W/$file" ] || (cd "$W/$file" && docker compose -f "docker-compose.$file.yml" --profile '*' down -v --remove-orphans > "$W/down.$file.log" 2>&1) || true
	done
	for pid in $registry $started; do
		kill "$pid" 2> /dev/null || true
		wait "$pid" 2> /dev/null || true
	done
	exit "$status"
}
trap cleanup EXIT
trap 'exit 1' INT TERM
skip() {
	echo "SKIPPED: the container stack was not run: $*"
	exit 0
}

part "tools"
case "$(uname -m)" in x86_64) ;; *) skip "the stand-ins are made for x86_64, this machine is $(uname -m)" ;; esac
[ "$(id -u)" = 0 ] || skip "debootstrap and the tests, which end processes inside of containers, need root"
for program in debootstrap runc iptables; do
	command -v "$program" > /dev/null || skip "there is no $program (Debian: apt-get install docker.io iptables debootstrap)"
done
PPPQ_TOOLS=$("$HERE/tools.sh")
export PPPQ_TOOLS PATH="$PPPQ_TOOLS:$PATH"

part "engine"
# start FOLDER [OPTION ...] starts the dockerd of a folder, with images of its own, and waits for it.
start() {
	folder=$1
	shift
	[ -x "$folder/dockerd" ] || { fault="there is no $folder/dockerd"; return 1; }
	mkdir -p "$W/run"
	PATH="$folder:$PATH" dockerd -H "$DOCKER_HOST" --data-root "$W/data.${folder##*/}" --exec-root "$W/run/exec" --pidfile "$W/run/pid" --log-level warn "$@" > "$W/dockerd.log" 2>&1 &
	started=$!
	n=0
	until docker info > /dev/null 2>&1; do
		n=$((n + 1))
		if ! kill -0 "$started" 2> /dev/null || [ "$n" -gt 60 ]; then
			fault="$folder/dockerd does not start: $(tail -n 5 "$W/dockerd.log" | tr '\n' ' ')"
			kill "$started" 2> /dev/null || true
			wait "$started" 2> /dev/null || true
			started=
			return 1
		fi
		sleep 1
	done
}
if ! docker info > /dev/null 2>&1; then
	export DOCKER_HOST="unix://$W/docker.sock"
	fault=
	if [ "${PPPQ_STACK_ENGINE:-forky}" = machine ]; then
		start /usr/sbin || skip "$fault"
	else
		# The image store that engines of today begin with: it exports OCI images.
		start "$W/engine-bin" --feature containerd-snapshotter=true || { echo "$fault"; start /usr/sbin; } || skip "$fault"
	fi
fi
# The stack of a run that was killed starts again with the engine, with settings
# and secrets that are gone: an engine of our own loses all but its images. On
# another one a stack that is not of this folder stays, and stops this run.
if [ -n "$started" ]; then
	docker swarm leave --force > /dev/null 2>&1 || true
	docker ps -aq | xargs -r docker rm -fv > /dev/null
	docker volume ls -q | xargs -r docker volume rm > /dev/null
	docker network prune -f > /dev/null
else
	for project in pppq pppq-dev; do
		folders=$(docker ps -aq --filter "label=com.docker.compose.project=$project" | xargs -r docker inspect -f '{{index .Config.Labels "com.docker.compose.project.working_dir"}}' | sort -u)
		case "$folders" in
		"" | "$W/prod" | "$W/dev") docker compose -p "$project" down -v --remove-orphans > "$W/down.$project.log" 2>&1 || { cat "$W/down.$project.log"; exit 1; } ;;
		*) echo "the engine has a stack $project already, of $folders; take it down first, or stop the engine: then an engine of its own is started" >&2; exit 1 ;;
		esac
	done
fi
# An engine that answers may still not be allowed to run anything.
mkdir -p "$W/smoke"
printf 'package main\n\nfunc main() { println("runs") }\n' > "$W/smoke/main.go"
CGO_ENABLED=0 go build -o "$W/smoke/smoke" "$W/smoke/main.go"
tar -C "$W/smoke" -c smoke | docker import -c 'CMD ["/smoke"]' - pppq-smoke > /dev/null
fault=$(docker run --rm --read-only --cap-drop ALL --memory 64m --cpus 0.5 --pids-limit 32 -p 127.0.0.1::9 pppq-smoke 2>&1) || skip "the engine runs no containers here: $fault"
docker version --format 'engine {{.Server.Version}}, client {{.Client.Version}}'
docker info --format 'storage {{.Driver}}, cgroup v{{.CgroupVersion}}, kernel {{.KernelVersion}}, {{.NCPU}} processors'
echo "compose $(docker compose version --short)"

part "stand-ins"
"$HERE/standins.sh"

part "images"
cd "$ROOT"
ref=$(git rev-parse HEAD)
date=$(TZ=UTC git log -1 --format=%cd --date=format-local:%Y-%m-%dT%H:%M:%SZ)
for file in prod dev; do
	rm -rf "${W:?}/$file"
	mkdir "$W/$file"
	git archive HEAD | tar x -C "$W/$file"
done
cd "$W/prod"
build() {
	DOCKER_BUILDKIT=1 docker build -q --build-arg GO_IMAGE=standin/golang --build-arg VCS_REF="$ref" --build-arg BUILD_DATE="$date" -f docker/Dockerfile "$@" . > /dev/null
}
build -t pppq-api:latest
build -t pppq-dev:latest --target development
printf 'FROM pppq-api:latest\nLABEL next=yes\n' | docker build -q -t pppq-api:next - > /dev/null
container=$(docker create pppq-api:latest)
docker cp "$container:/usr/local/bin/pppq" "$W/pppq"
docker rm "$container" > /dev/null
CGO_ENABLED=0 go build -trimpath -buildvcs=false -tags timetzdata -ldflags "-s -w -X main.version=1.0.0 -X main.revision=$ref -X main.built=$date" -o "$W/pppq.outside" ./cmd/pppq
cmp "$W/pppq" "$W/pppq.outside"
echo "the program is the same in the image and outside: sha256 $(sha256sum < "$W/pppq" | cut -c1-64)"

part "registry: push"
port=${PPPQ_REGISTRY_PORT:-15000}
rm -rf "$W/registry"
printf 'version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: %s}}\nhttp: {addr: "127.0.0.1:%s"}\n' "$W/registry" "$port" > "$W/registry.yml"
OTEL_TRACES_EXPORTER=none "$PPPQ_TOOLS/docker-registry" serve "$W/registry.yml" > "$W/registry.log" 2>&1 &
registry=$!
n=0
until curl -fsS -o /dev/null "http://127.0.0.1:$port/v2/" 2> /dev/null; do
	n=$((n + 1))
	[ "$n" -lt 100 ] || { echo "the registry does not start: $(tail -n 3 "$W/registry.log")" >&2; exit 1; }
	sleep 0.1
done
for image in pppq-api:latest standin/nginx standin/prometheus standin/postgres standin/nginx-exporter standin/postgres-exporter; do
	name=127.0.0.1:$port/${image%%:*}:1.0.0
	docker tag "$image" "$name"
	docker push -q "$name" > /dev/null
	# From here on the stack has what a registry gives it.
	docker image rm "$name" > /dev/null
done

part "production stack: pull and up"
docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/work" -w /work "127.0.0.1:$port/pppq-api:1.0.0" init production > /dev/null
sed -i -e "s|^PPPQ_IMAGE=.*|PPPQ_IMAGE=127.0.0.1:$port/pppq-api:1.0.0|" -e "s|^NGINX_IMAGE=.*|NGINX_IMAGE=127.0.0.1:$port/standin/nginx:1.0.0|" \
	-e "s|^PROMETHEUS_IMAGE=.*|PROMETHEUS_IMAGE=127.0.0.1:$port/standin/prometheus:1.0.0|" -e "s|^POSTGRES_IMAGE=.*|POSTGRES_IMAGE=127.0.0.1:$port/standin/postgres:1.0.0|" \
	-e "s|^NGINX_EXPORTER_IMAGE=.*|NGINX_EXPORTER_IMAGE=127.0.0.1:$port/standin/nginx-exporter:1.0.0|" -e "s|^POSTGRES_EXPORTER_IMAGE=.*|POSTGRES_EXPORTER_IMAGE=127.0.0.1:$port/standin/postgres-exporter:1.0.0|" \
	-e "s|^HTTP_PORT=.*|HTTP_PORT=${PPPQ_HTTP_PORT:-18080}|" -e "s|^HTTPS_PORT=.*|HTTPS_PORT=${PPPQ_HTTPS_PORT:-18443}|" -e "s|^PROMETHEUS_PORT=.*|PROMETHEUS_PORT=${PPPQ_PROMETHEUS_PORT:-19090}|" .env.prod
docker compose -f docker-compose.prod.yml pull -q
docker compose -f docker-compose.prod.yml pull -q --policy always
docker compose -f docker-compose.prod.yml up -d --pull always > "$W/up.log" 2>&1 || { cat "$W/up.log"; exit 1; }
docker compose -f docker-compose.prod.yml up -d --wait >> "$W/up.log" 2>&1 || { cat "$W/up.log"; exit 1; }

part "end to end"
# The development stack compiles while the tests ask the other one.
export GO_IMAGE=standin/golang DEV_PORT="${PPPQ_DEV_PORT:-18000}" DEV_PROMETHEUS_PORT="${PPPQ_DEV_PROMETHEUS_PORT:-19091}"
(cd "$W/dev" && PROMETHEUS_IMAGE=standin/prometheus docker compose -f docker-compose.dev.yml up -d --build > "$W/up.dev.log" 2>&1) || { cat "$W/up.dev.log"; exit 1; }
cd "$HERE"
PPPQ_STACK_DIR=$W/prod PPPQ_STACK_DEV_DIR=$W/dev PPPQ_IMAGE_NEXT=pppq-api:next PPPQ_PROGRAM=$W/pppq \
	go test -count=1 -timeout 25m -v ${PPPQ_STACK_RUN:+-run "$PPPQ_STACK_RUN"} ./e2e
part end
