#!/bin/sh
# Backups of the data base, in the image of the data base.
#
#   backup.sh schedule      one now, then one every BACKUP_EVERY_HOURS
#   backup.sh once          one now
#   backup.sh list          what there is
#   backup.sh restore FILE  put a backup in place of what is in the data base, as a whole or not at all
#   backup.sh health        exit 0 if the newest backup is younger than two intervals
#
# PGHOST, PGUSER, PGDATABASE and PASSWORD_FILE say where; BACKUP_DIR holds the
# files; BACKUP_KEEP of them stay. last_success holds the time of the newest one
# that pg_restore can read, in seconds since 1970.
set -eu
umask 027
dir=${BACKUP_DIR:-/backups}
every=$((${BACKUP_EVERY_HOURS:-24} * 3600))
keep=${BACKUP_KEEP:-14}
PGPASSWORD=$(cat "$PASSWORD_FILE")
export PGPASSWORD

say() { printf '{"time":"%s","level":"%s","msg":"%s"}\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$1" "$2"; }

once() {
	name=$PGDATABASE-$(date -u +%Y%m%dT%H%M%SZ).dump
	rm -f "$dir"/.*.part
	if ! pg_dump -Fc --no-password -f "$dir/.$name.part"; then
		say ERROR "backup failed: pg_dump"
		return 1
	fi
	verify "$dir/.$name.part" || return 1
	mv "$dir/.$name.part" "$dir/$name"
	date -u +%s > "$dir/.last_success.part"
	mv "$dir/.last_success.part" "$dir/last_success"
	say INFO "backup written: $name"
	# Names sort by time, and hold nothing but letters, digits and dashes.
	# shellcheck disable=SC2012
	ls "$dir"/"$PGDATABASE"-*.dump | sort -r | tail -n +$((keep + 1)) | while read -r old; do
		rm -f "$old"
		say INFO "backup removed: ${old##*/}"
	done
}

# verify reads a dump from end to end; a truncated one fails here.
verify() {
	if ! pg_restore -f /dev/null "$1"; then
		say ERROR "backup unreadable: ${1##*/}"
		return 1
	fi
}

case ${1:-} in
schedule)
	trap 'exit 0' TERM INT
	while :; do
		wait_for=$every
		once || wait_for=60
		sleep "$wait_for" &
		wait $!
	done
	;;
once) once ;;
list) ls -l "$dir" ;;
restore)
	file=$dir/${2:?name a file of $dir}
	verify "$file"
	pg_restore --no-password --clean --if-exists --single-transaction --exit-on-error -d "$PGDATABASE" "$file"
	say INFO "backup restored: ${file##*/}"
	;;
health)
	last=$(cat "$dir/last_success")
	[ $(($(date -u +%s) - last)) -lt $((2 * every)) ]
	;;
*)
	sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
	exit 2
	;;
esac
