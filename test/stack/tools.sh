#!/bin/sh
# Gets nginx, promtool, a registry, Docker's client, Compose and buildx of Debian
# forky, and its engine into the folder engine-bin, unpacked and not installed, on
# a machine without an image registry. Prints the folder for PPPQ_TOOLS.
set -eu
. "$(dirname "$0")/lib.sh"
if [ ! -x "$W/engine-bin/dockerd" ]; then
	mkdir -p "$W/apt/lists/partial" "$W/bin" "$W/engine-bin" "$DOCKER_CONFIG/cli-plugins"
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $MIRROR forky main" > "$W/apt/sources.list"
	apt() { apt-get -q -o Dir::State::Lists="$W/apt/lists" -o Dir::Etc::sourcelist="$W/apt/sources.list" -o Dir::Etc::sourceparts=- -o Acquire::Check-Valid-Until=false -o APT::Sandbox::User=root "$@" > /dev/null; }
	apt update
	(cd "$W/apt" && apt download docker.io docker-cli containerd docker-compose docker-buildx docker-registry promtool nginx nginx-common libc6 libcrypt1 libpcre2-8-0 zlib1g libzstd1 libssl3t64)
	for deb in "$W"/apt/*.deb; do dpkg-deb -x "$deb" "$W/unpacked"; done
	cp "$W"/unpacked/usr/libexec/docker/cli-plugins/* "$DOCKER_CONFIG/cli-plugins/"
	ln -sf "$W/unpacked/usr/bin/promtool" "$W/bin/promtool"
	# Programs that need a newer C library than the machine's get their own.
	lib=$W/unpacked/usr/lib/x86_64-linux-gnu
	for program in sbin/nginx bin/docker-registry; do
		printf '#!/bin/sh\nexec %s/ld-linux-x86-64.so.2 --library-path %s %s/unpacked/usr/%s "$@"\n' "$lib" "$lib" "$W" "$program" > "$W/bin/${program#*/}"
		chmod 755 "$W/bin/${program#*/}"
	done
	ln -sf "$DOCKER_CONFIG/cli-plugins/docker-compose" "$W/bin/docker-compose"
	ln -sf "$W/unpacked/usr/bin/docker" "$W/bin/docker"
	# runc needs that C library too, and runs in containers: the machine's does.
	for program in sbin/docker-proxy bin/containerd bin/containerd-shim-runc-v2 sbin/dockerd; do
		cp "$W/unpacked/usr/$program" "$W/engine-bin/"
	done
fi
echo "$W/bin"
