"""A Spark standalone cluster of this machine: one master and one worker in Java processes of their own, on loopback."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jiaoheng.engine.spark import find_java

LOOPBACK = "127.0.0.1"
LEAST_JAVA = 17
PATIENCE = 240  # seconds; a busy machine starts Java slowly
# short runs: the second compiler and parallel collectors cost more than they give
FRUGAL = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"


def lacking() -> str:
    """What is missing for Spark, in words; empty where all is there."""
    if importlib.util.find_spec("pyspark") is None:
        return "pyspark is not installed (extra `spark`, in requirements/dev.txt)"
    java = find_java()
    if java is None:
        return "no Java on this machine (scripts/setup.sh test installs one)"
    told = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(\d+)', told)
    if found is None or int(found[1]) < LEAST_JAVA:
        return f"Spark needs Java {LEAST_JAVA} or later, not {told.splitlines()[0] if told else 'this one'}"
    return ""


def settings(folder: Path, memory: str = "512m", java: str = FRUGAL) -> dict[str, str]:
    """The environment of Java processes that talk over loopback only; writes spark-defaults.conf.

    memory: of the driver and of the executor; java: their options.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lines = {
        "spark.driver.host": LOOPBACK,
        "spark.driver.bindAddress": LOOPBACK,
        "spark.driver.memory": memory,
        "spark.executor.memory": memory,
        "spark.driver.extraJavaOptions": java,
        "spark.executor.extraJavaOptions": java,
        "spark.local.dir": str(folder / "scratch"),
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
    }
    text = "".join(f"{name} {value}\n" for name, value in lines.items())
    (folder / "spark-defaults.conf").write_text(text, encoding="utf-8")
    return {
        "SPARK_CONF_DIR": str(folder),
        "SPARK_LOCAL_IP": LOOPBACK,
        "SPARK_DAEMON_MEMORY": "256m",
        "SPARK_DAEMON_JAVA_OPTS": f"{FRUGAL} -Dspark.master.rest.enabled=false",  # that one has a fixed port
    }


@contextmanager
def cluster(folder: Path, environment: dict[str, str]) -> Iterator[str]:
    """The address `spark://…` of a master with one registered worker of two cores; both end with the context."""
    master = _daemon(folder / "master.log", environment, "master.Master", "--host", LOOPBACK, "--port", "0")
    try:
        address = _told(master, folder / "master.log", r"Starting Spark master at (spark://\S+)")
        options = ("--host", LOOPBACK, "--cores", "2", "--memory", "3g", "--work-dir", str(folder / "work"))
        worker = _daemon(folder / "worker.log", environment, "worker.Worker", *options, address)
        try:
            _told(worker, folder / "worker.log", r"(Successfully registered) with master")
            yield address
        finally:
            _end(worker)
    finally:
        _end(master)


def _daemon(log: Path, environment: dict[str, str], name: str, *arguments: str) -> subprocess.Popen[bytes]:
    spec = importlib.util.find_spec("pyspark")
    assert spec is not None
    assert spec.origin is not None
    home = Path(spec.origin).parent
    starter = home / "bin" / ("spark-class.cmd" if os.name == "nt" else "spark-class")
    command = [str(starter), f"org.apache.spark.deploy.{name}", "--webui-port", "0", *arguments]
    with log.open("wb") as file:
        given = {**os.environ, **environment, "SPARK_HOME": str(home)}
        return subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, env=given)


def _told(process: subprocess.Popen[bytes], log: Path, pattern: str) -> str:
    """Wait for a line of the log."""
    end = time.monotonic() + PATIENCE
    while True:
        text = log.read_text(encoding="utf-8", errors="replace")
        found = re.search(pattern, text)
        if found is not None:
            return found[1]
        if process.poll() is not None or time.monotonic() > end:
            raise AssertionError(f"no “{pattern}” in {log.name}:\n{text[-2000:]}")
        time.sleep(0.2)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
