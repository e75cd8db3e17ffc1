#!/usr/bin/env bash
# The demonstration: a messy synthetic county exam with its report, a whole synthetic county in the bureau, and the server.
# DEMO_SERVE=0 builds, checks that the server answers, and ends. DEMO_SCALE makes the county smaller (0.01 to 1).
set -eu
cd "$(dirname "$0")/.."
out=demo
data=$out/教育局
if [ -f "$out/server.pid" ] && kill -0 "$(cat "$out/server.pid")" 2>/dev/null; then
  printf '演示还在运行（进程 %s）。请先在它的窗口按 Ctrl+C，再重做。\n' "$(cat "$out/server.pid")" >&2
  exit 2
fi
rm -rf "$out"
mkdir -p "$out"
unset DATABASE_URL JIAOHENG_DEMO_NOW
export JIAOHENG_ENV=demo
run() { printf '\n$ jiaoheng %s\n' "$*"; .venv/bin/jiaoheng "$@"; }

exam() {
  run exam sample --out "$out/样例" --messy
  printf '\n$ jiaoheng exam check %s --annotate %s\n' "$out/样例" "$out/待确认.xlsx"
  # 2 says that questions are open, which is what a messy county looks like
  .venv/bin/jiaoheng exam check "$out/样例" --annotate "$out/待确认.xlsx" >"$out/检查结果.txt" || [ $? = 2 ] || return 1
  tail -n 3 "$out/检查结果.txt"
  run exam report "$out/样例" --out "$out/结果" --settings "$out/样例/exam-answered.yaml" --yes --school-packs
  # the sample knows what its schools added between the two exams: does the report find it?
  .venv/bin/python - "$out/结果/summary.json" "$out/样例/truth.json" <<'PY'
import json
import statistics
import sys

summary, truth = (json.load(open(path, encoding="utf-8")) for path in sys.argv[1:])
rows = next(table for table in summary["tables"] if table["key"] == "value_added.schools")["rows"]
found = [row["effect"]["value"] for row in rows]
true = [truth["growth"][row["school"]] for row in rows]
inside = sum(row["interval"]["low"] <= own <= row["interval"]["high"] for row, own in zip(rows, true, strict=True))
r = statistics.correlation(found, true)
print(f"增值与造数时的真值：{len(rows)} 所学校相关 {r:.2f}，{inside} 所的 95% 区间含真值")
assert r > 0.9 and inside > 0.85 * len(rows), "the truth was not recovered"
PY
  printf '\n报告：%s/结果/report.html（浏览器打开）、report.docx、tables.xlsx、lists.xlsx、summary.json、学校/\n' "$PWD/$out"
  printf '检查结果：%s/检查结果.txt；标注后的工作簿：%s/待确认.xlsx\n' "$PWD/$out" "$PWD/$out"
}

# the exam and the county know nothing of each other: both at once, the exam's words afterwards
(set -e; exam) >"$out/考试.txt" 2>&1 &
exam=$!
run demo build --data "$data" --scale "${DEMO_SCALE:-1}"
wait "$exam" || { cat "$out/考试.txt" >&2; exit 1; }
cat "$out/考试.txt"
mkdir -p "$data/exams"
cp -r "$out/结果" "$data/exams/九年级一模"

if [ "${DEMO_SERVE:-1}" != 0 ]; then
  printf '\n$ jiaoheng serve --data %s\n' "$data"
  echo $$ >"$out/server.pid"
  exec .venv/bin/jiaoheng serve --data "$data" --port "${DEMO_PORT:-8000}"
fi

# built only: does the server answer?
port=$(.venv/bin/python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
.venv/bin/jiaoheng serve --data "$data" --port "$port" >"$out/服务.txt" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true' EXIT
.venv/bin/python - "$port" <<'PY' || { cat "$out/服务.txt" >&2; exit 1; }
import sys
import time
import urllib.error
import urllib.request

base = f"http://127.0.0.1:{sys.argv[1]}"
for _ in range(120):
    try:
        with urllib.request.urlopen(base + "/healthz", timeout=5) as answer:
            assert answer.status == 200
        with urllib.request.urlopen(base + "/login/", timeout=10) as answer:
            text = answer.read().decode()
        assert "演示：选一个身份进去看" in text, "the sign-in page offers no demo people"
        print("服务可用：/healthz 与登录页都有应答")
        break
    except urllib.error.HTTPError as error:
        sys.exit(f"{error.url} 的应答是 {error.code}")
    except OSError:
        time.sleep(0.5)
else:
    sys.exit("服务没有应答")
PY
printf '启动演示：jiaoheng serve --data %s，然后打开 http://127.0.0.1:8000\n' "$data"
