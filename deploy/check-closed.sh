#!/bin/sh
# Run this after each roll-out, and in CI: does the gate really stand before the service? A selector or provider that
# matches nothing leaves a gateway open without any error.
#
#   deploy/check-closed.sh https://api.example.com/orders [URL …]
#
# Sends each URL a request without a token, and one with a token that nobody issued. Both must be answered 401 with a
# challenge. Exit code: 0 all closed, 1 something is open or did not answer, 2 wrong usage.
# CURL_OPTIONS holds more options of curl, such as `--resolve` or `--cacert`.
set -u

if [ "$#" -eq 0 ]; then
  echo "usage: $0 URL [URL ...]" >&2
  exit 2
fi

failed=0

# $1: URL, $2: what is sent, $3...: options of curl
expect_401() {
  url=$1
  what=$2
  shift 2
  # shellcheck disable=SC2086 -- several options
  answer=$(curl --silent --show-error --max-time 10 --output /dev/null --dump-header - ${CURL_OPTIONS:-} "$@" "$url") || {
    echo "FAILED  $url: $what: no answer" >&2
    failed=1
    return
  }
  status=$(printf '%s\n' "$answer" | sed -n 's/^HTTP[^ ]* \([0-9]*\).*/\1/p' | tail -n 1)
  if [ "$status" != 401 ]; then
    echo "FAILED  $url: $what: answered $status, must be 401. IS THE GATE IN FRONT OF IT?" >&2
    failed=1
  elif ! printf '%s\n' "$answer" | grep -qi '^www-authenticate:'; then
    echo "FAILED  $url: $what: 401 without a challenge, so it is not the gate that answered" >&2
    failed=1
  else
    echo "ok      $url: $what: 401"
  fi
}

for url in "$@"; do
  expect_401 "$url" 'no token'
  expect_401 "$url" 'a forged token' --header 'authorization: Bearer eyJhbGciOiJub25lIn0.e30.' --header 'x-user-id: admin'
done

exit "$failed"
