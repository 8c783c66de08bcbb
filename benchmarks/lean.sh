#!/bin/sh
# What benchmarks.cli_case compares the harness with: the same s_server and two s_client processes, and nothing else.
# Usage: lean.sh OPENSSL CERTIFICATE KEY -tls1_2|-tls1_3 FOLDER
set -eu
openssl=$1 certificate=$2 key=$3 version=$4 folder=$5
rm -f "$folder/accept" "$folder/session.pem"
mkfifo "$folder/accept"
"$openssl" s_server -accept 127.0.0.1:0 -no-CAfile -no-CApath -cert "$certificate" -key "$key" "$version" -www \
    >"$folder/accept" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null || :' EXIT
exec 3<"$folder/accept"
while read -r word address <&3; do
    [ "$word" = ACCEPT ] && break
done

# -www answers a GET and -ign_eof reads the answer to its end: the TLS 1.3 tickets come before it.
client() {
    printf 'GET / HTTP/1.0\r\n\r\n' |
        "$openssl" s_client -connect "$address" -no-CAfile -no-CApath "$version" -ign_eof "$@" 2>/dev/null
}
client -sess_out "$folder/session.pem" >"$folder/output"
grep -q '^New, ' "$folder/output"
client -sess_in "$folder/session.pem" >"$folder/output"
grep -q '^Reused, ' "$folder/output"
