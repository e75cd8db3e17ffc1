"""The machine: disk, fonts, static files, keys."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

from django.conf import settings

from jiaoheng.bureau.core import keys as data_keys
from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.operations.doctor.findings import Doctor, check
from jiaoheng.bureau.operations.keys import FILE_VARIABLE, VARIABLE, find_key, key_path

GIGABYTE = 1 << 30
_LOW, _FULL = 5 * GIGABYTE, GIGABYTE // 2
_SAMPLE = frozenset("教衡县校鿍㐀𬭎")  # usual characters, and rare ones of names


@check("disk", "磁盘")
def disk(doctor: Doctor) -> None:
    """Space left where the data lie, and whether it can be written."""
    data = Path(settings.DATA)
    usage = shutil.disk_usage(data)
    words = f"数据文件夹 {data} 所在磁盘剩余 {usage.free / GIGABYTE:.1f} GB，共 {usage.total / GIGABYTE:.0f} GB"
    if usage.free < _FULL:
        doctor.bad(words, "马上清理磁盘，或把数据文件夹移到更大的盘：空间用完后不能再保存任何内容")
    elif usage.free < _LOW:
        doctor.look(words, "尽快清理磁盘或加盘；旧备份可以移走")
    else:
        doctor.good(words)
    if not os.access(data, os.W_OK):
        doctor.bad(f"数据文件夹 {data} 不能写入", "请把它的属主改为运行服务的账号")


@check("fonts", "字体")
def fonts(doctor: Doctor) -> None:
    """Whether charts can draw the characters of names."""
    from jiaoheng.documents.fonts import missing_glyph_message, uncovered

    missing = uncovered(_SAMPLE)
    if missing:
        doctor.look(
            missing_glyph_message(missing).split("。")[0], "安装字数多的中文字体，如 fonts-noto-cjk、fonts-hanazono"
        )
    else:
        doctor.good("图表用的字体齐全，生僻字也能画出")


@check("static", "页面文件")
def static(doctor: Doctor) -> None:
    """Whether style and script are laid out for the server."""
    missing = [name for name in ("web/theme.css", "web/app.js") if not (Path(settings.STATIC_ROOT) / name).is_file()]
    if missing:
        doctor.look(f"页面文件还没有铺开（缺 {'、'.join(missing)}）", "启动一次 jiaoheng serve，它会自己铺开")
    else:
        doctor.good("页面的样式和脚本都在")


@check("keys", "密钥")
def keys(doctor: Doctor) -> None:
    """Whether each key is there, can be read as one, and is its owner's only."""
    _signing(doctor)
    _data(doctor)
    _backup(doctor)


def _signing(doctor: Doctor) -> None:
    if os.environ.get("JIAOHENG_SECRET_KEY"):
        doctor.good("签名密钥来自环境变量")
    else:
        _file(doctor, "签名密钥", Path(settings.DATA) / "secret-key")


def _data(doctor: Doctor) -> None:
    try:
        ring = data_keys.ring()
    except RefusedError as refused:
        doctor.bad(str(refused), "把数据密钥放回原处，再运行 jiaoheng doctor")
        return
    if not os.environ.get("JIAOHENG_DATA_KEYS"):
        _file(doctor, f"数据密钥（{len(ring.keys)} 把）", data_keys.key_file())
    if not data_keys.apart():
        doctor.look(
            "数据密钥放在数据文件夹里：谁拷走这个文件夹，谁就能解开证件号",
            "设环境变量 JIAOHENG_KEYS 指向数据文件夹之外的文件夹，并把密钥文件移过去",
        )


def _backup(doctor: Doctor) -> None:
    try:
        found = find_key()
    except RefusedError as refused:
        doctor.bad(str(refused), f"改正 {VARIABLE} 或 {FILE_VARIABLE}")
        return
    if found is None:
        doctor.look("还没有备份密钥，不能备份", "运行 jiaoheng backup --new-key，并把密钥复制到别处保存")
    elif os.environ.get(VARIABLE):
        doctor.good(f"备份密钥 {found.name} 来自环境变量")
    else:
        _file(doctor, f"备份密钥 {found.name}", key_path())


def _file(doctor: Doctor, what: str, path: Path) -> None:
    if not path.is_file():
        doctor.bad(f"{what}的文件 {path} 不在", "从保存处取回这个文件，放回原位")
        return
    mode = stat.S_IMODE(path.stat().st_mode)
    if os.name == "posix" and mode & 0o077:
        doctor.bad(f"{what}的文件 {path} 别的账号也能读（权限 {mode:o}）", f"运行 chmod 600 {path}")
    else:
        doctor.good(f"{what}在 {path}，只有属主能读")
