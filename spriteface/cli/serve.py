"""`spriteface serve`: the engine for GIMP and Aseprite."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from typing import Any

import click

from ..errors import ServiceError


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="0: choose a free one.")
@click.option(
    "--idle-exit",
    type=click.FloatRange(min=0),
    default=900.0,
    show_default=True,
    metavar="SECONDS",
    help="End after so long without a job or a connection; 0: never.",
)
@click.option("--cold", is_flag=True, help="Load generators with the first job, not now.")
@click.option("--background", is_flag=True, help="Return once the engine answers.")
@click.option("--stop", is_flag=True, help="Stop the running engine.")
@click.option("--status", is_flag=True, help="Say what the running engine does.")
def serve(
    port: int, idle_exit: float, cold: bool, background: bool, stop: bool, status: bool
) -> None:
    """Serve portraits to GIMP and Aseprite on this computer (docs/engine.md)."""
    if stop:
        _stop()
    elif status:
        _status()
    elif background:
        _background(port, idle_exit, cold)
    else:
        _foreground(port, idle_exit, cold)


def _running() -> dict[str, Any] | None:
    """The greeting of this user's engine, or None."""
    from ..service import places
    from ..service.client import Client, EngineError

    try:
        client = Client.from_file(places.connection_path())
        return {**client.hello(), "port": client.port}
    except EngineError as error:
        if error.code == "protocol":
            raise ServiceError(error.message, error.hint) from error
        return None


def _foreground(port: int, idle_exit: float, cold: bool) -> None:
    from ..service import places

    try:
        from ..service import server
    except ModuleNotFoundError as error:
        raise ServiceError(
            f"the engine needs {error.name}", "pip install 'spriteface[service]'"
        ) from error

    lock = places.only_one()
    if lock is None:
        _say_running(_wait_for_engine())
        return
    with lock:
        server.open_log(places.log_path())
        click.echo(f"spriteface engine; log {places.log_path()}; Ctrl+C stops it")
        reason = asyncio.run(
            server.serve(
                port=port,
                idle_exit_seconds=idle_exit or float("inf"),
                log_path=places.log_path(),
                warm=not cold,
            )
        )
        click.echo(f"spriteface engine ended: {reason}")


def _wait_for_engine(seconds: float = 10.0) -> dict[str, Any]:
    from ..service import places

    deadline = time.monotonic() + seconds
    while (hello := _running()) is None:
        if time.monotonic() > deadline:
            raise ServiceError(
                "an engine holds the lock but does not answer",
                f"see {places.log_path()}; end that process, then try again",
            )
        time.sleep(0.05)
    return hello


def _say_running(hello: dict[str, Any]) -> None:
    click.echo(
        f"an engine runs already: {hello['version']} at 127.0.0.1:{hello['port']}, "
        f"pid {hello['pid']}"
    )


def _background(port: int, idle_exit: float, cold: bool) -> None:
    from ..service import places

    if (hello := _running()) is not None:
        _say_running(hello)
        return
    command = [sys.executable, "-m", "spriteface", "serve", "--port", str(port)]
    command += ["--idle-exit", str(idle_exit), *(["--cold"] if cold else [])]
    output = places.state_folder() / "start.log"
    with output.open("wb") as log:
        extra: dict[str, Any] = {"start_new_session": True}
        if sys.platform == "win32":
            flags = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP
            extra = {"creationflags": flags}
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, close_fds=True, **extra
        )
    deadline = time.monotonic() + 25
    while (hello := _running()) is None:
        if process.poll() is not None and process.returncode:
            said = output.read_text(encoding="utf-8", errors="replace").strip()
            raise ServiceError(f"the engine ended at once: {said[-500:]}", f"see {output}")
        if time.monotonic() > deadline:
            raise ServiceError("the engine does not answer", f"see {places.log_path()}")
        time.sleep(0.05)
    click.echo(f"engine {hello['version']} at 127.0.0.1:{hello['port']}, pid {hello['pid']}")


def _client() -> Any:
    from ..service import places
    from ..service.client import Client, EngineError

    if _running() is None:
        raise ServiceError("no engine is running", "spriteface serve")
    try:
        return Client.from_file(places.connection_path())
    except EngineError as error:
        raise ServiceError(error.message, error.hint) from error


def _stop() -> None:
    from ..service import places

    if _running() is None:
        click.echo("no engine is running")
        return
    _client().shutdown()
    deadline = time.monotonic() + 5
    while places.connection_path().exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    click.echo("engine stopped")


def _status() -> None:
    status = _client().status()
    click.echo(f"engine {status['version']}, up {status['uptime_seconds']:.0f} s")
    for worker in status["workers"]:
        state = "warm" if worker["warm"] else "not warm yet"
        click.echo(f"  worker {worker['lane']}: pid {worker['pid'] or '-'}, {state}")
    for job in status["jobs"]:
        click.echo(
            f"  job {job['id']}: {job['kind']}, {job['state']}, {job['stage']} {job['fraction']:.0%}"
        )
