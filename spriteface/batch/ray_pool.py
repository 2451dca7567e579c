"""Workers on a Ray cluster, behind the same interface as those of this machine.

Ray's actors are used and none of its own retries: which task a dead worker was at, how often it
is tried again and when it goes into quarantine is decided by the driver, as everywhere else.
Paths and small crops travel, never whole pictures, so all nodes must see the inputs and the
output folder under the same paths (a network file system). Nodes may join and leave: the team
follows the cluster's size.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..errors import GeneratorError, OptionError
from .executor import Failure, FailureKind, Result, Task, attempt, resolve

AHEAD = 2
CENSUS_SECONDS = 2.0  # how often the cluster's size is asked for
START_SECONDS = 180.0  # for an actor to import and load
GIVE_UP_AFTER = 5


class _Server:
    """The actor: makes its function once, answers tasks in order."""

    def __init__(self, factory: str, config: Any) -> None:
        self._work: Callable[[Any], Any] = resolve(factory)(config)

    def ready(self) -> str:
        """The node this actor is on."""
        import ray

        return str(ray.get_runtime_context().get_node_id())

    def run(self, payload: Any) -> tuple[Any, Failure | None, float]:
        return attempt(self._work, payload)


@dataclass(eq=False)
class _Actor:
    handle: Any
    greeting: Any  # the reference of its `ready`
    born: float
    node: str = ""
    tasks: deque[tuple[Task, Any]] = field(default_factory=deque)  # with their references
    since: float = 0.0

    @property
    def room(self) -> int:
        return 0 if any(task.alone for task, _ in self.tasks) else AHEAD - len(self.tasks)


class RayPool:
    """`Executor` over a Ray cluster.

    Args:
        address: of the cluster, "auto" for one that runs here; None starts one on this machine.
        workers: at most so many actors; 0 means one per free CPU (or GPU) of the cluster.
        gpu: give every actor a GPU of its own.

    Raises:
        OptionError: Ray isn't installed.
        GeneratorError: the cluster can't be reached.
    """

    def __init__(
        self,
        factory: str,
        config: Any,
        *,
        address: str | None = None,
        workers: int = 0,
        timeout_seconds: float = 600.0,
        gpu: bool = False,
    ) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        try:
            import ray
        except ImportError as error:
            raise OptionError(
                "option ray: Ray isn't installed", "pip install 'spriteface[ray]'"
            ) from error
        self._ray = ray
        self._factory, self._config = factory, config
        self._limit, self._timeout, self._gpu = workers, timeout_seconds, gpu
        self._mine = not ray.is_initialized()
        if self._mine:
            _connect(ray, address)
        self._team: list[_Actor] = []
        self._census_at = 0.0
        self._places = 1
        self._early_deaths = 0
        self._count_places()

    @property
    def workers(self) -> int:
        return self._places

    @property
    def free(self) -> int:
        return sum(a.room for a in self._team) + AHEAD * max(0, self._places - len(self._team))

    @property
    def idle(self) -> int:
        return max(0, self._places - sum(bool(a.tasks) for a in self._team))

    @property
    def nodes(self) -> dict[str, int]:
        """Greeted actors by node."""
        counts: dict[str, int] = {}
        for actor in self._team:
            if actor.node:
                counts[actor.node] = counts.get(actor.node, 0) + 1
        return counts

    def submit(self, task: Task) -> None:
        idle = [a for a in self._team if not a.tasks]
        if not idle and len(self._team) < self._places:
            idle = [self._start()]
        actor = idle[0] if idle else max(self._team, key=lambda a: a.room)
        if not actor.tasks:
            actor.since = time.monotonic()
        actor.tasks.append((task, actor.handle.run.remote(task.payload)))

    def results(self, timeout_seconds: float) -> list[Result]:
        """
        Raises:
            GeneratorError: actors can't start.
        """
        self._count_places()
        references = {a.tasks[0][1]: a for a in self._team if a.tasks}
        greetings = {a.greeting: a for a in self._team if not a.node}
        waiting = [*references, *greetings]
        if not waiting:
            return []
        ready, _ = self._ray.wait(waiting, num_returns=1, timeout=timeout_seconds)
        more, _ = self._ray.wait(waiting, num_returns=len(waiting), timeout=0)
        found: list[Result] = []
        for reference in dict.fromkeys([*ready, *more]):
            if reference in greetings:
                found += self._greet(greetings[reference])
        for reference in dict.fromkeys([*ready, *more]):
            if reference in references and references[reference] in self._team:
                found += self._receive(references[reference])
        return found + self._overdue()

    def close(self) -> None:
        for actor in self._team:
            with contextlib.suppress(Exception):
                self._ray.kill(actor.handle)
        self._team.clear()
        if self._mine:
            self._ray.shutdown()

    # ------------------------------------------------------------------------------ actors
    def _start(self) -> _Actor:
        remote = self._ray.remote(max_restarts=0, max_task_retries=0)(_Server)
        needs = {"num_gpus": 1, "num_cpus": 1} if self._gpu else {"num_cpus": 1}
        handle = remote.options(**needs).remote(self._factory, self._config)
        actor = _Actor(handle, handle.ready.remote(), time.monotonic())
        self._team.append(actor)
        return actor

    def _count_places(self) -> None:
        """How many actors the living nodes have room for."""
        now = time.monotonic()
        if now < self._census_at:
            return
        self._census_at = now + CENSUS_SECONDS
        unit = "GPU" if self._gpu else "CPU"
        alive = [n for n in self._ray.nodes() if n["Alive"]]
        total = sum(int(n["Resources"].get(unit, 0)) for n in alive)
        self._places = max(1, min(total, self._limit) if self._limit else total)

    def _greet(self, actor: _Actor) -> list[Result]:
        try:
            actor.node = self._ray.get(actor.greeting)
        except self._ray.exceptions.RayError as error:
            self._early_deaths += 1
            if self._early_deaths >= GIVE_UP_AFTER:
                raise GeneratorError(
                    f"workers of the Ray cluster can't start: {_first_line(error)}",
                    "is spriteface installed on every node?",
                ) from error
            self._bury(actor)
            self._again([task for task, _ in actor.tasks])
            return []
        self._early_deaths = 0
        actor.since = time.monotonic()
        return []

    def _receive(self, actor: _Actor) -> list[Result]:
        task, reference = actor.tasks[0]
        try:
            value, failure, seconds = self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            if not actor.node:  # it never started: `_greet` speaks of it
                return []
            return self._lost(actor, FailureKind.CRASH, f"the worker died ({_first_line(error)})")
        actor.tasks.popleft()
        actor.since = time.monotonic()
        return [Result(task, value, failure, seconds)]

    def _overdue(self) -> list[Result]:
        found: list[Result] = []
        now = time.monotonic()
        for actor in list(self._team):
            if actor.node and actor.tasks and now - actor.since > self._timeout:
                words = f"took longer than {self._timeout:g} s"
                found += self._lost(actor, FailureKind.TIMEOUT, words)
            elif not actor.node and now - actor.born > START_SECONDS:
                self._bury(actor)  # its node left before it was placed
                self._again([task for task, _ in actor.tasks])
        return found

    def _lost(self, actor: _Actor, kind: FailureKind, words: str) -> list[Result]:
        self._bury(actor)
        (at, _), *others = actor.tasks
        self._again([task for task, _ in others])
        return [Result(at, None, Failure(kind, words), time.monotonic() - actor.since)]

    def _bury(self, actor: _Actor) -> None:
        with contextlib.suppress(Exception):
            self._ray.kill(actor.handle)
        self._team.remove(actor)
        self._census_at = 0.0
        self._count_places()

    def _again(self, tasks: list[Task]) -> None:
        for task in tasks:
            self.submit(task)


def _connect(ray: Any, address: str | None) -> None:
    variables = {k: os.environ[k] for k in ("PYTHONPATH",) if k in os.environ}
    # an actor has one CPU: Ray sees to the libraries' threads, this to ours
    variables["SPRITEFACE_THREADS"] = os.environ.get("SPRITEFACE_THREADS", "1")
    try:
        ray.init(
            address=address,
            include_dashboard=False if address is None else None,
            log_to_driver=False,
            logging_level="ERROR",
            runtime_env={"env_vars": variables},
        )
    except Exception as error:  # Ray raises a dozen kinds
        raise GeneratorError(
            f"can't reach a Ray cluster at {address or 'local'}: {_first_line(error)}",
            "start one with `ray start --head`, or use --ray local",
        ) from error


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:200] if lines else type(error).__name__
