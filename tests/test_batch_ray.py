"""A real Ray cluster of two nodes on this machine, a worker killed in mid-run."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from spriteface.batch.executor import FailureKind, Result, Task
from spriteface.batch.run import WORKER, Batch
from spriteface.batch.walk import walk
from tests.test_batch_run import job, many, outcome, run

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # Ray's own
]
# the least that Ray takes, instead of a third of the machine's memory for each node
NODE = {"num_cpus": 1, "object_store_memory": 80 << 20}
ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    pytest.importorskip("ray", reason="Ray isn't installed (pip install 'spriteface[ray]')")
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ["PYTHONPATH"] = os.pathsep.join((str(ROOT), os.environ.get("PYTHONPATH", "")))
    from ray.cluster_utils import Cluster

    try:
        cluster = Cluster(initialize_head=True, head_node_args={**NODE, "include_dashboard": False})
        cluster.add_node(**NODE)
    except Exception as error:  # Ray's own, before any code of ours: no ports, no shared memory
        pytest.skip(f"Ray starts no cluster of two nodes on this machine: {error}")
    yield cluster
    cluster.shutdown()


def pool(cluster: Any, factory: str, config: Any, **options: Any) -> Any:
    from spriteface.batch.ray_pool import RayPool

    return RayPool(factory, config, address=cluster.address, **options)


def drain(pool: Any, count: int) -> dict[str, Result]:
    found: dict[str, Result] = {}
    while len(found) < count:
        for result in pool.results(5.0):
            assert result.task.id not in found
            found[result.task.id] = result
    return found


def test_two_nodes_answer_and_failures_are_told_apart(cluster: Any) -> None:
    ray = pool(cluster, "tests.batch_tasks:echo", "config", timeout_seconds=3.0)
    try:
        assert ray.workers == 2
        payloads = [0, "die", "bad", "hang"]
        for i, payload in enumerate(payloads):
            ray.submit(Task(str(i), payload))
        found = drain(ray, len(payloads))
        assert found["0"].value == ("config", 0)
        kinds = [found[str(i)].failure.kind for i in (1, 2, 3)]  # type: ignore[union-attr]
        assert kinds == [FailureKind.CRASH, FailureKind.INPUT, FailureKind.TIMEOUT]
        for i in range(4):
            ray.submit(Task(f"again{i}", ("sleep", 0.2)))
        drain(ray, 4)
        assert len(ray.nodes) == 2
    finally:
        ray.close()


def test_a_batch_with_workers_killed_and_nodes_that_join_and_leave(
    cluster: Any, tmp_path: Path
) -> None:
    shots, out = tmp_path / "shots", tmp_path / "out"
    many(shots, 24)
    run(shots, tmp_path / "local")
    executor = pool(cluster, WORKER, job(out))
    joined = None
    with Batch(job(out), executor) as batch:
        batch.add(walk([shots])[0])
        steps = kills = 0
        while batch.step():
            steps += 1
            if steps in (6, 18):
                pid = _a_worker()
                if pid:
                    os.kill(pid, signal.SIGKILL)
                    kills += 1
            if steps == 10:
                joined = cluster.add_node(**NODE)
            if steps == 30 and joined is not None:
                cluster.remove_node(joined)
                joined = None
    if joined is not None:
        cluster.remove_node(joined)
    assert kills >= 1
    assert outcome(out) == outcome(tmp_path / "local")


def _a_worker() -> int:
    """The process of one of our actors."""
    for status in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if b"ray::_Server" in status.read_bytes():
                return int(status.parent.name)
        except OSError:
            continue
    return 0
