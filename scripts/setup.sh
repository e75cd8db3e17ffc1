#!/usr/bin/env bash
# Sets up everything on a bare Debian or Ubuntu machine that has Python 3.11–3.13 and make.
# usage: scripts/setup.sh run|test   (run: what a user needs; test: the checks' tools and a browser too)
set -eu
cd "$(dirname "$0")/.."
what=${1:-run}

if [ -z "${PYTHON:-}" ]; then
  for candidate in python3.11 python3.12 python3.13 python3; do
    if command -v "$candidate" >/dev/null 2>&1; then PYTHON=$candidate; break; fi
  done
fi

say() { printf '%s\n' "$*" >&2; }

# System packages: asked for only when missing, installed by apt-get when we may.
need=()
[ -n "${PYTHON:-}" ] || need+=(python3 python3-venv)
if [ -n "${PYTHON:-}" ] && ! "$PYTHON" -c 'import venv, ensurepip' >/dev/null 2>&1; then need+=(python3-venv); fi
has_font() { command -v fc-list >/dev/null 2>&1 && [ -n "$(fc-list "$1" 2>/dev/null)" ]; }
has_font "Noto Sans CJK SC" || need+=(fontconfig fonts-noto-cjk)
has_font "LXGW WenKai" || need+=(fontconfig fonts-lxgw-wenkai)
has_java() { # 17 or later, where JAVA_HOME or the path says
  local java=java found
  [ -z "${JAVA_HOME:-}" ] || java=$JAVA_HOME/bin/java
  found=$("$java" -version 2>&1 | sed -n 's/^.* version "\([0-9]*\).*/\1/p' | head -n 1)
  [ "${found:-0}" -ge 17 ]
}
if [ "$what" = test ]; then
  [ -x /usr/bin/chromium ] || [ -n "${CHROMIUM:-}" ] || need+=(chromium)
  has_java || need+=(default-jre-headless) # one test runs the sums on a Spark cluster of its own
  command -v initdb >/dev/null 2>&1 || ls -d /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || need+=(postgresql)
fi
if [ ${#need[@]} -gt 0 ]; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    say "installing system packages: ${need[*]}"
    apt-get update -qq >/dev/null 2>&1 || say "apt-get update failed; trying with the lists that are there"
    mkdir -p /usr/share/man/man1 # slim images lack it and Java's package wants to write there
    apt_log=$(mktemp)
    if ! DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${need[@]}" >"$apt_log" 2>&1; then
      tail -n 5 "$apt_log" >&2
      say "could not install: ${need[*]}. Install them by hand, then run the command again."
      exit 1
    fi
    rm -f "$apt_log"
  else
    say "missing system packages: ${need[*]}"
    say "ask an administrator for: apt-get install ${need[*]}"
    case " ${need[*]} " in *" python3-venv "*) exit 1 ;; esac
    say "going on without them: charts may show boxes for Chinese, browser and Spark tests are skipped."
  fi
fi
PYTHON=${PYTHON:-python3}
if ! "$PYTHON" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))'; then
  say "Jiaoheng needs Python 3.11, 3.12 or 3.13; $("$PYTHON" --version 2>&1) was found."
  exit 1
fi

# The environment, made anew only when the locks changed.
locks=(requirements/build.txt requirements/base.txt)
[ "$what" = test ] && locks+=(requirements/dev.txt)
stamp=.venv/.installed-$what
want=$(cat "${locks[@]}" pyproject.toml | sha256sum)
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$want" ]; then exit 0; fi
[ -x .venv/bin/python ] || { say "making .venv"; "$PYTHON" -m venv .venv; }
log=$(mktemp)
trap 'rm -f "$log"' EXIT
pip() { .venv/bin/python -m pip "$@" --quiet --disable-pip-version-check >"$log" 2>&1 || { tail -n 8 "$log" >&2; say "pip $1 failed"; exit 1; }; }
for lock in "${locks[@]}"; do
  say "installing $lock"
  pip install --require-hashes --requirement "$lock"
done
pip install --no-deps --no-build-isolation --editable .
.venv/bin/python -c 'import jiaoheng'
printf '%s' "$want" >"$stamp"
