#!/bin/sh
# Builds images that stand in for those of the registry, from Debian forky.
set -eu
. "$(dirname "$0")/lib.sh"
export DOCKER_BUILDKIT=1
if ! docker image inspect debian-standin:forky > /dev/null 2>&1; then
	[ -e "$W/forky/etc/ssl/certs/ca-certificates.crt" ] || {
		rm -rf "$W/forky"
		debootstrap --variant=minbase --include=ca-certificates forky "$W/forky" "$MIRROR" sid > "$W/debootstrap.log" || { tail -n 5 "$W/debootstrap.log" >&2; exit 1; }
	}
	cp /usr/local/share/ca-certificates/*.crt "$W/forky/usr/local/share/ca-certificates/" 2> /dev/null || true
	chroot "$W/forky" update-ca-certificates > /dev/null 2>&1
	rm -rf "$W"/forky/var/cache/apt/archives/*.deb "$W"/forky/var/lib/apt/lists/*
	tar -C "$W/forky" --sort=name --mtime=@0 -c . | docker import -c 'CMD ["bash"]' -c 'ENV DEBIAN_FRONTEND=noninteractive' - debian-standin:forky > /dev/null
fi
# The downloads of one run while another unpacks.
builds=
for name in nginx prometheus postgres nginx-exporter postgres-exporter; do
	docker build -q -t "standin/$name" "$HERE/standin/$name" > "$W/$name.log" 2>&1 &
	builds="$builds $!:$name"
done
go=$(go env GOROOT)
rm -rf "$W/golang"
mkdir -p "$W/golang"
cp "$HERE/standin/golang/Dockerfile" "$W/golang/"
cp -a "$go" "$W/golang/go"
docker build -q -t standin/golang "$W/golang" > /dev/null
rm -rf "$W/golang"
for build in $builds; do
	wait "${build%%:*}" || { cat "$W/${build#*:}.log" >&2; exit 1; }
done
