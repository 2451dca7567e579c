"""A batch from pictures to portraits: once each, resumed, killed, poisoned, out of space."""

from __future__ import annotations

import dataclasses
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import zipfile
from collections import deque
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from spriteface.batch.executor import FailureKind, Result, Task, attempt
from spriteface.batch.manifest import NAME
from spriteface.batch.pool import LocalPool
from spriteface.batch.run import WORKER, Batch, BatchOptions, Progress
from spriteface.batch.walk import walk
from spriteface.batch.work import FindTask, Job, MakeTask, worker
from spriteface.errors import GeneratorError, InputError, SinkError, SpritefaceError
from spriteface.options import ExtractOptions, PortraitOptions
from tools import draw_samples

ROOT = Path(__file__).resolve().parents[1]
FACES = {d.name: draw_samples.paint(d) for d in draw_samples.DRAWINGS if len(d.rows) == 16}


def job(out: Path, **portrait: int) -> Job:
    options = PortraitOptions(size=64, **portrait)  # type: ignore[arg-type]
    return Job(out, portrait=options, find="tests.batch_tasks:find", make="tests.batch_tasks:make", who="tests.batch_tasks:who", load="")  # fmt: skip


def run(
    shots: Path, out: Path, *, workers: int = 1, timeout: float = 60.0, **options: int
) -> Progress:
    seen: list[Progress] = []
    pool = LocalPool(WORKER, job(out), workers=workers, timeout_seconds=timeout)
    with Batch(job(out), pool, BatchOptions(**options), on_progress=seen.append) as batch:
        batch.add(walk([shots], exclude=[out])[0])
        batch.work()
    return seen[-1]


def shot(path: Path, *faces: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.concatenate(faces, axis=1)).save(path)


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    """Two games; faces again, mirrored, blinking, recoloured; the same bytes twice; no picture."""
    folder = tmp_path / "shots"
    elf, plumber, knight = FACES["elf_hero"], FACES["plumber"], FACES["knight"]
    blink, green = elf.copy(), plumber.copy()
    blink[10, [5, 6, 11, 12]] = blink[9, 6]
    green[..., :3] = green[..., [1, 0, 2]]
    shot(folder / "Castle-0.png", elf, plumber)
    shot(folder / "Castle-1.png", plumber[:, ::-1], elf)
    shot(folder / "Castle-2.png", blink, green)
    shot(folder / "Tower-0.png", knight)
    shutil.copy(folder / "Castle-0.png", folder / "Castle-9.png")
    (folder / "Tower-1.png").write_text("not an image")
    return folder


def table(out: Path, sql: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(out / NAME) as db:
        rows = db.execute(sql).fetchall()
    db.close()
    return rows


def outcome(out: Path) -> dict[str, object]:
    """Everything that must not depend on how a run went: pictures, faces, links, files."""
    pictures = {
        p.relative_to(out).as_posix(): np.asarray(Image.open(p)).tobytes()
        for folder in ("portraits", "sprites", "thumbs")
        for p in (out / folder).rglob("*.*g")
    }
    return {
        "pictures": pictures,
        "faces": table(out, "SELECT id, exact, game, person, portrait, kind, linked FROM faces"),
        "where": table(out, "SELECT * FROM occurrences"),
        "files": table(out, "SELECT id, path, status FROM files"),
        "portraits": table(out, "SELECT key, face, status FROM portraits"),
        "stray": sorted(p.name for p in out.rglob(".*.part")),
    }


def test_every_face_once_and_every_occurrence_linked(shots: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    progress = run(shots, out)
    assert progress.finished
    assert (progress.files, progress.faces, progress.portraits, progress.failed) == (6, 9, 4, 1)
    kinds = table(out, "SELECT kind, linked, portrait = id, person = id FROM faces ORDER BY id")
    assert kinds == [
        ("new", None, 1, 1),  # elf
        ("new", None, 1, 1),  # plumber
        ("near", 1, 0, 0),  # the elf blinks
        ("palette", 2, 1, 1),  # a green plumber is somebody else
        ("new", None, 1, 1),  # knight
    ]
    mirrored = table(out, "SELECT path, number FROM occurrences JOIN files ON files.id = file WHERE mirrored")  # fmt: skip
    assert [(Path(str(p)).name, n) for p, n in mirrored] == [("Castle-1.png", 0)]
    ((reason,),) = table(out, "SELECT reason FROM files WHERE status = 'failed'")
    assert "Tower-1.png is not an image" in str(reason)
    names = sorted(p.relative_to(out / "portraits").as_posix() for p in out.glob("portraits/*/*.png"))  # fmt: skip
    assert [n.rpartition("-")[0] for n in names] == [
        "castle/castle-0", "castle/castle-0", "castle/castle-2", "tower/tower-0",
    ]  # fmt: skip
    sidecar = json.loads((out / "portraits" / names[-1]).with_suffix(".json").read_text())
    assert sidecar["source"].endswith("Tower-0.png") and sidecar["box"] == [0, 0, 16, 16]


def test_two_workers_leave_the_same_as_one(shots: Path, tmp_path: Path) -> None:
    run(shots, tmp_path / "one")
    run(shots, tmp_path / "two", workers=2)
    one, two = outcome(tmp_path / "one"), outcome(tmp_path / "two")
    assert one == two


class InTurn:
    """An executor in this process: its workers keep step, a task each at a time."""

    def __init__(self, config: Job, workers: int) -> None:
        self.workers = workers
        self._work = worker(config)
        self._team: list[deque[Task]] = [deque() for _ in range(workers)]

    @property
    def free(self) -> int:
        return sum(map(self._room, self._team))

    @property
    def idle(self) -> int:
        return sum(not tasks for tasks in self._team)

    @staticmethod
    def _room(tasks: deque[Task]) -> int:
        return 0 if any(task.alone for task in tasks) else 2 - len(tasks)

    def submit(self, task: Task) -> None:
        tasks = max(self._team, key=self._room)
        assert self._room(tasks) > 0 and not (task.alone and tasks)
        tasks.append(task)

    def results(self, timeout_seconds: float) -> list[Result]:
        at = [tasks.popleft() for tasks in self._team if tasks]
        return [Result(task, *attempt(self._work, task.payload)) for task in at]

    def close(self) -> None:
        self._team.clear()


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_portraits_are_made_while_pictures_are_left(tmp_path: Path, workers: int) -> None:
    many(tmp_path / "shots", 30)
    left = []
    with Batch(job(tmp_path / "out"), InTurn(job(tmp_path / "out"), workers)) as batch:
        batch.on_portrait = lambda _: left.append(batch.progress())
        batch.add(walk([tmp_path / "shots"])[0])
        batch.work()
        end = batch.progress()
    assert end.finished and not end.failed and len(left) == end.portraits > 10
    # the first ones early; and pictures go on being looked at meanwhile
    assert left[0].files_done <= 6
    assert len({p.files_done for p in left}) > 5


def test_a_second_run_makes_nothing_again_and_new_files_join(shots: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(shots, out)
    times = {p: p.stat().st_mtime_ns for p in out.rglob("*.png")}
    victim = next(out.glob("portraits/tower/*.png"))
    victim.write_bytes(victim.read_bytes()[:100])
    shot(shots / "Tower-2.png", FACES["pirate"])
    progress = run(shots, out)
    assert progress.portraits == 5 and progress.finished
    again = {p for p in out.rglob("*.png") if times.get(p) != p.stat().st_mtime_ns}
    assert {p.name.split("-")[1] for p in again if "portraits" in p.parts} == {"0", "2"}
    assert np.asarray(Image.open(victim)).shape == (64, 64, 3)


def test_a_changed_file_is_looked_at_again(shots: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(shots, out)
    shot(shots / "Tower-1.png", FACES["wizard"])
    progress = run(shots, out)
    assert (progress.failed, progress.portraits) == (0, 5)


def test_pictures_in_an_archive(shots: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "pack.zip", "w") as archive:
        for path in sorted(shots.iterdir()):
            archive.write(path, f"in/{path.name}")
    progress = run(tmp_path / "pack.zip", tmp_path / "packed")
    run(shots, tmp_path / "plain")
    assert (progress.faces, progress.portraits, progress.failed) == (9, 4, 1)
    assert outcome(tmp_path / "packed")["faces"] == outcome(tmp_path / "plain")["faces"]
    ((reason,),) = table(tmp_path / "packed", "SELECT reason FROM files WHERE status = 'failed'")
    assert "pack.zip!in/Tower-1.png is not an image" in str(reason)


def test_poses_of_a_sheet_are_one_person(tmp_path: Path) -> None:
    sheet = draw_samples.character_sheet()
    sheet[(sheet[..., :3] == draw_samples.SHEET_KEY).all(axis=2)] = 0
    shot(tmp_path / "shots" / "Castle-0.png", sheet[:16, 4:20], sheet[:16, 52:68])
    run(tmp_path / "shots", tmp_path / "out")
    sidecars = [json.loads(p.read_text()) for p in (tmp_path / "out").glob("portraits/*/*.json")]
    assert len(sidecars) == 2
    assert len({s["latent"]["z"][0] for s in sidecars}) == 1
    assert len({s["latent"]["shape"][0] for s in sidecars}) == 1
    (later,) = (s for s in sidecars if "colors" in s["latent"])
    assert later["source"].endswith("Castle-0.png"), "the first one's, given to the other"


def test_a_pose_is_shown_though_its_first_face_cannot_be(tmp_path: Path) -> None:
    sheet = draw_samples.character_sheet()
    sheet[(sheet[..., :3] == draw_samples.SHEET_KEY).all(axis=2)] = 0
    shot(tmp_path / "shots" / "a" / "Castle-0.png", sheet[:16, 4:20])
    shot(tmp_path / "shots" / "b" / "Castle-1.png", sheet[:16, 52:68])
    (tmp_path / "shots" / "a" / "ill-make").write_text("refused nobody looks like that")
    progress = run(tmp_path / "shots", tmp_path / "out", workers=2)
    assert progress.failed == 1 and progress.portraits_done == 2
    (made,) = [json.loads(p.read_text()) for p in (tmp_path / "out").glob("portraits/*/*.json")]
    first = sheet[:16, 4:20, :3].mean(axis=(0, 1)).round().astype(int).tolist()
    assert made["latent"]["structure"] == {"color": first, "n": 0}


@pytest.mark.slow
def test_poses_share_the_real_generators_person(tmp_path: Path) -> None:
    """Face, skin and hair of the first pose, seen from where the second one is."""
    import torch

    from spriteface.pulse.generator import Latents
    from spriteface.pulse.head.prior import people_from_latents

    sheet = ROOT / "samples" / "character_sheet.png"
    work = worker(Job(tmp_path, portrait=PortraitOptions(size=64, steps=1)))
    found = sorted(work(FindTask(sheet)), key=lambda face: face.box.x)  # two fronts, two sides
    people = []
    for name, face, first in (
        ("a", found[0], None),
        ("b", found[-1], found[0]),
    ):
        work(MakeTask(face, sheet, name, 5, first, "a" if first else ""))
        latent = json.loads((tmp_path / "portraits" / f"{name}.json").read_text())["latent"]
        z = torch.tensor(latent["z"]).reshape(1, *latent["shape"])
        people += people_from_latents(Latents(z, (latent["structure"],)))
    front, side = (p.to_json() for p in people)
    for part in ("shape", "skin", "hair"):
        assert leaves(front[part]) == pytest.approx(leaves(side[part]), abs=1e-3), part
    assert abs(side["pose"]["yaw"]) > abs(front["pose"]["yaw"]) + 0.4


def leaves(value: object) -> list[float]:
    """The numbers of a record, in order; words as their length."""
    if isinstance(value, dict):
        return [n for key in sorted(value) for n in leaves(value[key])]
    if isinstance(value, list | tuple):
        return [n for inner in value for n in leaves(inner)]
    return [float(value) if isinstance(value, int | float) else float(len(str(value)))]


def test_other_options_need_another_folder(shots: Path, tmp_path: Path) -> None:
    run(shots, tmp_path / "out")
    pool = LocalPool(WORKER, job(tmp_path / "out", seed=1), workers=1)
    with pytest.raises(InputError, match="other values of portrait"):
        Batch(job(tmp_path / "out", seed=1), pool)


def test_one_run_at_a_time(shots: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with (
        Batch(job(out), LocalPool(WORKER, job(out), workers=1)),
        pytest.raises(InputError, match="another run is writing"),
    ):
        Batch(job(out), LocalPool(WORKER, job(out), workers=1))
    Batch(job(out), LocalPool(WORKER, job(out), workers=1)).close()


def test_poison_is_quarantined_after_two_tries(shots: Path, tmp_path: Path) -> None:
    shot(shots / "Castle-3-poison.png", FACES["viking"])
    shot(shots / "Castle-4-endless.png", FACES["child"])
    progress = run(shots, tmp_path / "out", workers=2, timeout=7.0)
    rows = table(tmp_path / "out", "SELECT path, tries, reason FROM files WHERE status = 'quarantined'")  # fmt: skip
    found = {Path(str(path)).name: (tries, str(reason)) for path, tries, reason in rows}
    assert {name: tries for name, (tries, _) in found.items()} == {
        "Castle-3-poison.png": 2,
        "Castle-4-endless.png": 2,
    }
    assert "SIGKILL" in found["Castle-3-poison.png"][1]
    assert "longer than 7 s" in found["Castle-4-endless.png"][1]
    assert progress.finished and progress.failed == 3 and progress.portraits_done == 4


DRIVER = """
import sys
from pathlib import Path
from tests.test_batch_run import run
run(Path(sys.argv[1]), Path(sys.argv[2]), workers=int(sys.argv[3]))
"""


def many(folder: Path, count: int) -> None:
    """A play-through: faces of two people per shot, each shot different by a shade."""
    names = list(FACES)
    for i in range(count):
        a, b = FACES[names[i % len(names)]].copy(), FACES[names[(i * 7 + 3) % len(names)]].copy()
        if i % 3 == 0:
            a[..., :3] = a[..., [2, 1, 0]]
        shot(folder / f"Castle-{i}.png", a, b)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs kill -9")
def test_killed_at_many_moments_and_resumed_it_ends_the_same(tmp_path: Path) -> None:
    shots = tmp_path / "shots"
    many(shots, 24)
    began = time.monotonic()
    run(shots, tmp_path / "whole", workers=2)
    whole = time.monotonic() - began
    rng, out, kills = random.Random(7), tmp_path / "killed", 0
    env = {**os.environ, "PYTHONPATH": str(ROOT), "BATCH_TEST_DELAY": "0.05"}
    while kills < 8:
        driver = subprocess.Popen([sys.executable, "-c", DRIVER, shots, out, "2"], env=env)
        try:
            driver.wait(timeout=0.35 + rng.random() * max(0.6, whole))
            break  # it got through
        except subprocess.TimeoutExpired:
            driver.kill()
            driver.wait()
            kills += 1
    assert kills >= 2
    run(shots, out, workers=1)
    assert outcome(out) == outcome(tmp_path / "whole")


def test_a_full_disc_stops_cleanly_and_resumes(tmp_path: Path) -> None:
    """On a real, tiny file system: needs root to mount one."""
    small, shots = tmp_path / "small", tmp_path / "shots"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(small)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("can't mount a small file system here (needs root)")
    try:
        many(shots, 16)
        filler = small / "filler"
        filler.write_bytes(b"\0" * (100 << 10))
        with pytest.raises(SinkError, match=r"space|full"):
            run(shots, small / "out")
        assert not list((small / "out").rglob(".*.part"))
        filler.unlink()
        subprocess.run([*mount[:3], "-o", "remount,size=8m", "tmpfs", str(small)], check=True)
        run(shots, small / "out")
        run(shots, tmp_path / "whole")
        assert outcome(small / "out") == outcome(tmp_path / "whole")
    finally:
        subprocess.run(["umount", "-l", str(small)], check=True)


@pytest.mark.parametrize(
    ("kind", "ill", "error", "words"),
    [
        ("find", "memory", SpritefaceError, "first 8 pictures all failed alike: out of memory"),
        ("find", "bug", SpritefaceError, "ZeroDivisionError"),
        ("make", "memory", SpritefaceError, "first 8 portraits all failed alike: out of memory"),
        ("make", "refused the weights are gone", GeneratorError, "the weights are gone"),
    ],
)
def test_when_everything_fails_alike_the_run_stops_and_resumes(
    tmp_path: Path, kind: str, ill: str, error: type[SpritefaceError], words: str
) -> None:
    shots, out = tmp_path / "shots", tmp_path / "out"
    many(shots, 20)
    note = shots / f"ill-{kind}"
    note.write_text(ill)
    with pytest.raises(error, match=words) as stopped:
        run(shots, out, workers=2)
    assert "--resume" in stopped.value.hint and stopped.value.exit_code
    for name in ("files", "portraits"):
        bad = f"SELECT COUNT(*) FROM {name} WHERE status IN ('failed', 'quarantined') OR tries > 1"
        assert table(out, bad) == [(0,)]
    note.unlink()
    run(shots, out)
    run(shots, tmp_path / "whole")
    assert outcome(out) == outcome(tmp_path / "whole")


def test_pictures_at_fault_do_not_stop_a_run(tmp_path: Path) -> None:
    """Broken files never do; others only if they are the first ones and all of them."""
    shots = tmp_path / "shots"
    many(shots, 3)
    for i in range(4):
        (shots / f"A-broken-{i}.png").write_text("not an image")
        if i % 2:
            shot(shots / f"Z-poison-{i}.png", FACES["viking"] ^ np.uint8(i))
    progress = run(shots, tmp_path / "out", tries=1, give_up=2)
    assert progress.finished and progress.failed == 6 and progress.portraits_done

    for path in shots.glob("Castle-*"):
        path.rename(shots / f"ZZ-{path.name}")
    for path in shots.glob("A-*"):
        path.unlink()
    with pytest.raises(SpritefaceError, match="SIGKILL"):
        run(shots, tmp_path / "again", tries=1, give_up=2)
    progress = run(shots, tmp_path / "again", tries=1, give_up=0)
    assert progress.finished and progress.failed == 2 and progress.portraits_done


def test_every_frame_of_an_animation_is_looked_at(tmp_path: Path) -> None:
    names = ("elf_hero", "plumber", "elf_hero", "knight")
    frames = [Image.fromarray(FACES[n]) for n in names]
    for name, options in (
        ("a.gif", {"disposal": 2}),
        ("b.png", {}),
        ("c.webp", {"lossless": True}),
    ):
        folder = tmp_path / name
        folder.mkdir()
        frames[0].save(
            folder / name, save_all=True, append_images=frames[1:], duration=90, **options
        )
        progress = run(folder, tmp_path / f"out-{name}")
        assert progress.finished and progress.failed == 0
        # a frame that repeats an earlier one shows nobody new
        assert table(tmp_path / f"out-{name}", "SELECT frame FROM occurrences ORDER BY number") == [(0,), (1,), (3,)]  # fmt: skip
        assert progress.portraits_done == 3, name
    one = dataclasses.replace(job(tmp_path / "one"), all_frames=False)
    one = dataclasses.replace(one, extract=ExtractOptions(frame=1))
    with Batch(one, LocalPool(WORKER, one, workers=1)) as batch:
        batch.add(walk([tmp_path / "a.gif"])[0])
        batch.work()
    assert table(tmp_path / "one", "SELECT name, frame FROM occurrences JOIN faces ON faces.id = face") == [("a", 1)]  # fmt: skip


def test_bad_options_say_so() -> None:
    with pytest.raises(InputError, match="give_up"):
        BatchOptions(give_up=-1)
    with pytest.raises(InputError, match="near"):
        BatchOptions(near=2.0)
    with pytest.raises(InputError, match="tries"):
        BatchOptions(tries=0)


def test_an_unreadable_file_fails_alone(shots: Path, tmp_path: Path) -> None:
    (shots / "Castle-5.png").symlink_to(shots / "nowhere.png")
    items, problems = walk([shots])
    assert [p.path.name for p in problems] == ["Castle-5.png"]
    assert len(items) == 6
    assert FailureKind.INPUT == "input"
