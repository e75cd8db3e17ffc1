"""A Spark session: what it needs is looked at first, so that each lack has its own sentence and nobody waits for Java.

Settings of the bureau (spark-defaults.conf in SPARK_CONF_DIR, PYSPARK_SUBMIT_ARGS) win over those here.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import shutil
import socket
import warnings
from pathlib import Path
from typing import Any

from jiaoheng.engine.errors import EngineError

_MASTER_PORT = 7077
_PATIENCE = 5.0  # seconds for a master's port to answer; Spark itself would try for a minute and then hang
_OURS = {
    "spark.ui.enabled": "false",  # a page without a password, open to the net while the command runs
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
    "spark.sql.execution.arrow.pyspark.enabled": "true",  # results come as columns, not row by row
}
_LOCAL_PARTITIONS = "8"  # the default of 200 is for clusters; on one machine it is 200 tiny files a shuffle


def spark_session(master: str) -> Any:
    """A session at `spark://host:port[,host:port]`, `local[n]` or `yarn`.

    Raises EngineError where pyspark or Java is missing, no master answers, or this process has a session elsewhere.
    """
    if importlib.util.find_spec("pyspark") is None:
        raise EngineError(
            f"计算引擎设为“{master}”，但没有安装 Spark。请运行 pip install 'jiaoheng[spark]'，"
            "或删除环境变量 JIAOHENG_ENGINE 以使用内置的 DuckDB"
        )
    if find_java() is None:
        raise EngineError(
            f"计算引擎设为“{master}”，但本机没有 Java。请安装 Java 17 或更高版本"
            "（Debian、Ubuntu：apt-get install openjdk-17-jre-headless），或把 JAVA_HOME 设为它的文件夹"
        )
    if master.startswith("spark://"):
        _look_for(master)
    try:
        session = _started(master)
    except EngineError:
        raise
    except Exception as error:  # Spark raises Java errors of many kinds
        raise EngineError(
            f"连不上 Spark“{master}”：{_first_line(error)}。请核对地址，并确认 Java 为 17 或更高版本"
        ) from error
    return session


def find_java() -> str | None:
    """Path of the Java that Spark would start; None where there is none."""
    home = os.environ.get("JAVA_HOME", "")
    if home:
        return shutil.which("java", path=str(Path(home) / "bin"))
    return shutil.which("java")


def _look_for(master: str) -> None:
    """Raises EngineError unless one of the named masters answers."""
    reasons: list[str] = []
    for place in master.removeprefix("spark://").split(","):
        host, _, port = place.strip().rpartition(":") if re.search(r":\d+$", place.strip()) else (place.strip(), "", "")
        try:
            socket.create_connection((host.strip("[]"), int(port or _MASTER_PORT)), _PATIENCE).close()
        except (OSError, OverflowError) as error:
            reasons.append(f"{place}（{getattr(error, 'strerror', None) or error}）")
        else:
            return
    raise EngineError(f"连不上 Spark“{master}”：{'、'.join(reasons)}。请核对主机和端口，并确认 Spark 主节点已启动")


def _started(master: str) -> Any:
    sql, core = importlib.import_module("pyspark.sql"), importlib.import_module("pyspark")
    running = sql.SparkSession.getActiveSession()
    if running is not None and running.sparkContext.master != master:
        raise EngineError(
            f"本进程已连接 Spark“{running.sparkContext.master}”，不能再连“{master}”。请先断开（backend.disconnect()），"
            "或另开一个进程"
        )
    # its own pandas functions are what Spark warns of; ours are SQL only
    warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
    conf = core.SparkConf()
    conf.setIfMissing("spark.app.name", "jiaoheng")
    for name, value in _OURS.items():
        conf.setIfMissing(name, value)
    if master.startswith("local"):
        conf.setIfMissing("spark.sql.shuffle.partitions", _LOCAL_PARTITIONS)
    return sql.SparkSession.builder.config(conf=conf).master(master).getOrCreate()


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].strip() if lines else type(error).__name__
