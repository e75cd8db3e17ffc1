#!/usr/bin/env bash
# Makes a messy synthetic county exam, checks it, makes the report, says where it is and what it found.
set -eu
cd "$(dirname "$0")/.."
out=demo
rm -rf "$out"
mkdir -p "$out"
run() { printf '\n$ jiaoheng %s\n' "$*"; .venv/bin/jiaoheng "$@"; }

run exam sample --out "$out/样例" --messy
printf '\n$ jiaoheng exam check %s --annotate %s\n' "$out/样例" "$out/待确认.xlsx"
# 2 says that questions are open, which is what a messy county looks like
.venv/bin/jiaoheng exam check "$out/样例" --annotate "$out/待确认.xlsx" >"$out/检查结果.txt" || [ $? = 2 ]
tail -n 3 "$out/检查结果.txt"
run exam report "$out/样例" --out "$out/结果" --settings "$out/样例/exam-answered.yaml" --yes --school-packs
printf '\n报告：%s/结果/report.html（浏览器打开）、report.docx、tables.xlsx、lists.xlsx、summary.json、学校/\n' "$PWD/$out"
printf '检查结果：%s/检查结果.txt；标注后的工作簿：%s/待确认.xlsx\n' "$PWD/$out" "$PWD/$out"
if [ "${DEMO_SERVE:-1}" != 0 ] && [ -t 1 ] && command -v xdg-open >/dev/null 2>&1; then
  xdg-open "$out/结果/report.html" >/dev/null 2>&1 || true
fi
