#!/bin/sh
# Makes the captures bulk and web with real kernels: nginx and wrk over a veth pair between two
# network namespaces, tcpdump on the server's side. Needs root and the Debian packages
# nginx-light, wrk, tcpdump, ethtool and iproute2; what it made is removed again at the end.
#
# usage: bench/real.sh [-s SECONDS] [-o FOLDER] [bulk|web]...
#   -s  how long wrk runs for each capture (default 10; at most 120)
#   -o  where bulk-real.pcap and web-real.pcap go (default bench/captures)

set -eu

seconds=10
folder=$(dirname "$0")/captures
max_bytes=$((1500 * 1000 * 1000)) # a capture is cut here, whatever the machine could send

usage() {
  sed -n '6,8s/^# //p' "$0" >&2
  exit 2
}

skip() {
  echo "skipped: $1" >&2
  exit 0
}

while getopts s:o: option; do
  case $option in
    s) seconds=$OPTARG ;;
    o) folder=$OPTARG ;;
    *) usage ;;
  esac
done
shift $((OPTIND - 1))
case $seconds in '' | *[!0-9]*) usage ;; esac
[ "$seconds" -ge 1 ] && [ "$seconds" -le 120 ] || usage
[ $# -gt 0 ] || set -- bulk web
for kind; do
  case $kind in bulk | web) ;; *) usage ;; esac
done

# Daemons are often outside an ordinary path.
PATH=$PATH:/usr/sbin:/sbin
[ "$(id -u)" -eq 0 ] || skip 'network namespaces need root'
for tool in nginx wrk tcpdump ethtool ip; do
  command -v "$tool" >/dev/null || skip "$tool is not installed (Debian: nginx-light, wrk, tcpdump, ethtool, iproute2)"
done

client=fwc$$
server=fws$$
work=$(mktemp -d)
nginx_pid=
tcpdump_pid=

cleanup() {
  trap - EXIT INT TERM
  [ -z "$tcpdump_pid" ] || kill "$tcpdump_pid" 2>/dev/null || true
  [ -z "$nginx_pid" ] || kill "$nginx_pid" 2>/dev/null || true
  ip netns del "$client" 2>/dev/null || true
  ip netns del "$server" 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

ip netns add "$client" 2>/dev/null || skip 'this machine does not let network namespaces be made'
ip netns add "$server"
ip link add c0 netns "$client" type veth peer name s0 netns "$server" || skip 'no veth device here'
ip -n "$client" addr add 10.200.0.1/24 dev c0
ip -n "$server" addr add 10.200.0.2/24 dev s0
ip -n "$client" link set c0 mtu 1500 up
ip -n "$server" link set s0 mtu 1500 up
ip netns exec "$client" ethtool -K c0 tso off gso off gro off >/dev/null
ip netns exec "$server" ethtool -K s0 tso off gso off gro off >/dev/null

chmod 755 "$work"
mkdir "$work/www"
head -c 3500000 /dev/urandom >"$work/www/bulk"
head -c 900 /dev/urandom >"$work/www/web"
cat >"$work/nginx.conf" <<CONF
daemon off;
user root;
worker_processes 1;
pid $work/nginx.pid;
error_log $work/error.log;
events { worker_connections 1024; }
http {
  access_log off;
  sendfile on;
  client_body_temp_path $work;
  proxy_temp_path $work;
  fastcgi_temp_path $work;
  uwsgi_temp_path $work;
  scgi_temp_path $work;
  server {
    listen 10.200.0.2:80 backlog=4096;
    root $work/www;
  }
}
CONF
ip netns exec "$server" nginx -e "$work/error.log" -p "$work" -c "$work/nginx.conf" &
nginx_pid=$!
sleep 1
kill -0 "$nginx_pid" 2>/dev/null || {
  cat "$work/error.log" >&2
  skip 'nginx did not start'
}

mkdir -p "$folder"
for kind; do
  capture=$folder/$kind-real.pcap
  connections=80
  [ "$kind" = web ] || connections=8
  # -B is in KiB. tcpdump runs as root here, so -Z keeps it from losing the right to write.
  ip netns exec "$server" tcpdump -n -q -i s0 -s 262144 -B 262144 -Z root -w "$work/part" tcp \
    2>"$work/tcpdump.log" &
  tcpdump_pid=$!
  sleep 1
  ip netns exec "$client" wrk -t 1 -c "$connections" -d "${seconds}s" -H 'Connection: close' \
    "http://10.200.0.2/$kind" >"$work/wrk.log" &
  wrk_pid=$!
  while kill -0 "$wrk_pid" 2>/dev/null; do
    sleep 0.2
    bytes=$(wc -c <"$work/part" 2>/dev/null || echo 0)
    if [ "$bytes" -gt "$max_bytes" ]; then
      kill -INT "$tcpdump_pid" "$wrk_pid" 2>/dev/null || true
    fi
  done
  wait "$wrk_pid" || true
  sleep 1
  kill -INT "$tcpdump_pid" 2>/dev/null || true
  wait "$tcpdump_pid" || true
  tcpdump_pid=
  mv "$work/part" "$capture"
  echo "$capture: $(wc -c <"$capture") bytes; $(grep -E 'captured|dropped by kernel' "$work/tcpdump.log" | tr '\n' ' ')"
done
