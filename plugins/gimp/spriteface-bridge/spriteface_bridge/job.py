"""One job from submit to results, with GIMP's progress bar or the window telling how far it is.

When the user stops GIMP's progress, GIMP kills this process; the connection closes with it, and
that is what makes the engine stop. The window's Cancel asks the engine by itself.
"""

import json
import threading
from pathlib import Path

from gi.repository import Gimp, GLib

from .client import EngineError, reach

LAUNCH = Path(__file__).resolve().parent.parent / "engine.json"


def launch():
    """How to reach and start the engine; written by `spriteface install-plugins`."""
    try:
        return json.loads(LAUNCH.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EngineError(
            "absent",
            f"The plug-in does not know its engine: {LAUNCH} is missing or broken.",
            "run in a terminal: spriteface install-plugins",
        ) from error


def run(kind, images, options, progress):
    """Do a job; its `result` messages. `progress(message)` may raise to stop it."""
    client = reach(launch())
    results = []
    for message in client.events(client.submit(kind, images, options)):
        if message.type == "result":
            results.append(message)
        else:
            progress(message)
    return results


def words(header):
    """A progress message in words."""
    if header.get("position"):
        return f"Waiting: {header['position']} before it"
    stage = str(header.get("stage", "working"))
    return stage[:1].upper() + stage[1:]


def run_with_bar(kind, images, options):
    """With GIMP's own progress bar; also right where there is no window at all."""
    Gimp.progress_init("Spriteface")

    def show(message):
        if message.type == "progress":
            Gimp.progress_set_text(words(message.header))
            Gimp.progress_update(message.header["fraction"])
        else:
            Gimp.progress_pulse()

    try:
        return run(kind, images, options, show)
    finally:
        Gimp.progress_end()


def run_with_window(kind, images, options, title):
    """With a window that shows the search and can stop it; None if the user did."""
    from .window import ProgressWindow

    window = ProgressWindow(title)
    outcome = {}

    def show(message):
        if window.cancelled:
            raise _Stopped  # leaving the loop closes the connection: the engine stops
        if message.type == "progress":
            GLib.idle_add(window.show_progress, message)

    def work():
        try:
            outcome["results"] = run(kind, images, options, show)
        except _Stopped:
            pass
        except Exception as error:
            outcome["error"] = error
        GLib.idle_add(window.finish)

    # A ticking stream wakes `show` every second at least; progress usually far more often.
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    window.run()
    if window.cancelled:
        return None
    thread.join()
    if "error" in outcome:
        raise outcome["error"]
    return outcome["results"]


class _Stopped(Exception):
    pass
