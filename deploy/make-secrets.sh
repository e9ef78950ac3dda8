#!/bin/sh
# Writes a new installation's secrets, a file each, into a folder that only its owner enters:
#   deploy/make-secrets.sh deploy/secrets                    for compose.yaml
#   deploy/make-secrets.sh my-secrets vizportal-queue        for Kubernetes, where database and store are your own:
#                                                            write their database-url and results-options yourself
# What is there is left as it is. The files themselves are readable: containers read them as another user.
set -eu
folder=${1:?"usage: make-secrets.sh FOLDER [QUEUE_HOST]"}
queue_host=${2:-queue}
mkdir -p "$folder"
chmod 700 "$folder"
umask 022

random() {
	LC_ALL=C tr -dc A-Za-z0-9 </dev/urandom | head -c 48
}

# Without an end of line: not every program takes it off.
put() {
	test -e "$folder/$1" || printf %s "$2" >"$folder/$1"
}

put secret-key "$(random)"
put queue-password "$(random)"
put redis-url "redis://:$(cat "$folder/queue-password")@$queue_host:6379/0"
put metrics-token "$(random)"
# A Kubeflow's own token goes here; this one is for the embedded one.
put kubeflow-token "$(random)"
if [ "$queue_host" = queue ]; then
	put database-password "$(random)"
	put database-url "postgres://vizportal:$(cat "$folder/database-password")@database:5432/vizportal"
	put store-user vizportal
	put store-password "$(random)"
	put results-options "$(printf '{"endpoint_url": "http://store:9000", "access_key": "vizportal", "secret_key": "%s"}' \
		"$(cat "$folder/store-password")")"
fi
