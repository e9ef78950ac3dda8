#!/bin/sh
# The queue server, whose password comes from a file and stands in no command line:
#   queue.sh start PASSWORD_FILE [valkey option ...]      queue.sh check PASSWORD_FILE [...]
set -eu
action=$1
file=$2
shift 2
case $action in
start)
	umask 077
	folder=$(mktemp -d)
	# Renders that wait survive a restart; what was lost within the last second the reconciler queues again.
	cat >"$folder/valkey.conf" <<-END
		requirepass "$(sed 's/["\\]/\\&/g' "$file")"
		appendonly yes
		save ""
	END
	exec valkey-server "$folder/valkey.conf" "$@"
	;;
check)
	REDISCLI_AUTH=$(cat "$file")
	export REDISCLI_AUTH
	test "$(valkey-cli "$@" ping)" = PONG
	;;
*)
	echo "queue.sh start|check PASSWORD_FILE" >&2
	exit 2
	;;
esac
