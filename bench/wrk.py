"""Runs `wrk`, and reads what it prints."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
_UNITS = {"us": 0.001, "ms": 1.0, "s": 1_000.0}


@dataclass(frozen=True)
class Load:
    """What one run of wrk made. Latencies are in milliseconds."""

    rate: float  # requests a second
    p50: float
    p99: float
    failed: int  # answers that were not 2xx or 3xx, and broken connections


def run_wrk(url: str, *, connections: int, seconds: int, script: str | None = None, headers: dict[str, str] | None = None) -> Load:
    """Load `url` from one thread. Raises RuntimeError with wrk's words when it does not run."""
    words = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency"]
    words += ["-s", str(HERE / script)] if script else []
    words += [word for name, value in (headers or {}).items() for word in ("-H", f"{name}: {value}")]
    ended = subprocess.run([*words, url], capture_output=True, text=True, check=False, timeout=seconds + 30)
    rate = re.search(r"Requests/sec: +([\d.]+)", ended.stdout)
    if ended.returncode or rate is None:
        raise RuntimeError(ended.stdout + ended.stderr)
    return Load(float(rate[1]), _latency(ended.stdout, 50), _latency(ended.stdout, 99), _failed(ended.stdout))


def _latency(printed: str, percentile: int) -> float:
    found = re.search(rf"{percentile}% +([\d.]+)(us|ms|s)\b", printed)
    return float(found[1]) * _UNITS[found[2]] if found else 0.0


def _failed(printed: str) -> int:
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", printed)
    broken = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", printed)
    return (int(refused[1]) if refused else 0) + (sum(map(int, broken.groups())) if broken else 0)
