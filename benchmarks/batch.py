"""What a batch costs: extraction, recognition, the manifest, workers.

    python -m benchmarks batch [extract] [recognition] [playthrough] [manifest] [workers] [kills] [gallery] [ray]

Without names, all of them. Times are CPU seconds where one process does the work (other load on
the machine hardly changes those), wall seconds where several do.
"""

from __future__ import annotations

import gc
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from spriteface.batch.executor import Result, Task
from spriteface.batch.gallery import write_gallery
from spriteface.batch.pool import THREADS, LocalPool
from spriteface.batch.recognise import Gallery, Kind, fingerprint
from spriteface.batch.run import WORKER, Batch
from spriteface.batch.walk import Item, walk
from spriteface.batch.work import FoundFace, Job, Made
from spriteface.options import PortraitOptions
from spriteface.pipeline import find_faces
from spriteface.types import U8, Box
from tools import draw_samples as art

from .machine import describe, spread

HEROES = (
    (art.HEAD_FRONT, art.BODY_FRONT, art.LEGS_FRONT),
    (art.HEAD_FRONT, art.BODY_FRONT, art.LEGS_FRONT_STEP),
    (art.HEAD_SIDE, art.BODY_SIDE, art.LEGS_SIDE),
    (art.HEAD_SIDE, art.BODY_SIDE, art.LEGS_SIDE_STEP),
)
FOLK = ("plumber", "elf_hero", "princess", "wizard", "knight", "pirate", "bob_heroine", "viking")


def person(name: str) -> U8:
    """A bystander: one of the small faces on the traveller's body."""
    drawing = next(d for d in art.DRAWINGS if d.name == name)
    body = art.figure(art.BODY_FRONT, art.LEGS_FRONT)
    return np.concatenate([art.paint(drawing), body])


def cast(frames: int) -> Iterator[list[tuple[U8, int, int]]]:
    """Who is where in a play-through: (sprite, x, y). The heroine walks both ways and blinks;
    eight people stand about, one of them in other colours as well."""
    people = [person(name) for name in FOLK]
    people.append(people[0].copy())
    people[-1][..., :3] = people[-1][..., [1, 0, 2]]
    for frame in range(frames):
        pose = art.figure(*HEROES[(2 + frame // 8 % 2) if frame % 240 < 200 else frame // 8 % 2])
        if frame % 90 < 3:
            pose[9:11][pose[9:11, :, :3].sum(axis=2) > 700] = (246, 194, 150, 255)
        if frame // 240 % 2:
            pose = pose[:, ::-1]
        seen = [(pose, 96, 160 - abs(frame % 40 - 20) // 4)]
        x = 250 - frame * 2 % 300
        if x > 120:
            seen.append((people[frame // 150 % len(people)], x, 161))
        yield seen


def play_through(frames: int) -> Iterator[U8]:
    """(224, 256, 3) frames of a game: the scene scrolls behind the cast."""
    backdrop = art.scene()
    for frame, seen in enumerate(cast(frames)):
        canvas = np.roll(backdrop, -2 * frame, axis=1)
        for sprite, x, y in seen:
            art.over(canvas, sprite, x, y)
        yield canvas[..., :3].copy()


def save_frames(folder: Path, count: int, scale: int = 1) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for i, frame in enumerate(play_through(count)):
        large = frame.repeat(scale, axis=0).repeat(scale, axis=1)
        Image.fromarray(large).save(folder / f"Castle-{i}.png", compress_level=1)


def full_hd(frame: U8) -> U8:
    """A frame enlarged four times in the middle of a black 1920x1080 screen."""
    screen = np.zeros((1080, 1920, 3), np.uint8)
    large = frame.repeat(4, axis=0).repeat(4, axis=1)
    screen[92 : 92 + large.shape[0], 448 : 448 + large.shape[1]] = large
    return screen


def cpu(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def extract() -> None:
    """Pictures a second on one core, without and with reading the file."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        frames = list(play_through(60))[::3]
        for label, picture, wanted in (("256x224", lambda f: f, 60), ("1920x1080, x4", full_hd, 5)):
            paths = []
            for i, frame in enumerate(frames):
                paths.append(folder / f"{wanted}-{i}.png")
                Image.fromarray(picture(frame)).save(paths[-1], compress_level=1)
            read = [np.asarray(Image.open(path)) for path in paths]
            find_faces(paths[0])
            gc.freeze()  # as a worker does once it is loaded
            for what, given in (("", read), (", file read included", paths)):
                seconds = [cpu(lambda g=one: find_faces(g)) for one in given]  # type: ignore[misc]
                print(
                    f"extraction, {label}{what}: {1 / statistics.median(seconds):.1f} a second "
                    f"({spread(seconds)} s), to reach {wanted}"
                )


def _batch(folder: Path, out: Path, workers: int, size: int) -> tuple[Batch, LocalPool]:
    job = Job(
        out,
        portrait=PortraitOptions(size=size),
        make="tests.batch_tasks:make",
        who="tests.batch_tasks:who",
        load="",
    )
    pool = LocalPool(WORKER, job, workers=workers)
    return Batch(job, pool), pool


def playthrough(count: int = 1000) -> None:
    """Searches saved by recognising faces, over the real extraction."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        save_frames(folder / "shots", count)
        began = time.perf_counter()
        batch, _ = _batch(folder / "shots", folder / "out", 2, 64)
        with batch:
            batch.add(walk([folder / "shots"])[0])
            batch.work()
            seconds = time.perf_counter() - began
            progress = batch.progress()
            faces = batch.manifest.face_count()
            kinds: dict[str, int] = {}
            for row in batch.manifest.faces():
                kinds[row.kind] = kinds.get(row.kind, 0) + 1
        saved = 1 - progress.portraits / max(1, progress.faces)
        print(
            f"play-through of {count} frames: {progress.faces} faces seen, {faces} distinct, {progress.portraits} portraits: {saved:.1%} of searches saved, {seconds:.0f} s with two workers"
        )
        print(f"  distinct faces by kind: {kinds}; failed: {progress.failed}")


def recognition(count: int = 1000) -> None:
    """The same play-through with every face cut out as it should be: recognition alone."""
    met = Gallery()
    faces = searches = 0
    kinds: dict[str, int] = {}
    for seen in cast(count):
        for sprite, _, _ in seen:
            faces += 1
            print_ = fingerprint(sprite[:24], Box(0, 0, 16, 16))
            match = met.match(print_, "Castle")
            kinds[match.kind] = kinds.get(match.kind, 0) + 1
            if match.kind in (Kind.SAME, Kind.MIRRORED):
                continue
            searches += match.portrait < 0
            met.add(faces, print_, "Castle", person=match.person, portrait=match.portrait)
    print(
        f"recognition over {count} frames, faces cut out exactly: {faces} faces, {searches} portraits: "
        f"{1 - searches / faces:.1%} of searches saved; "
        + ", ".join(f"{n} {kind}" for kind, n in sorted(kinds.items()))
    )


def _face(i: int) -> FoundFace:
    """One of the small faces in colours of its own."""
    drawings = [d for d in art.DRAWINGS if len(d.rows) == 16]
    rgba = art.paint(drawings[i % len(drawings)])
    turn = np.random.default_rng(i).integers(0, 256, 3, np.uint8)
    rgba[..., :3] = np.where(rgba[..., 3:] > 0, rgba[..., :3] ^ turn, 0)
    box = Box(0, 0, 16, 16)
    return FoundFace(rgba, box, box, box, (1, 1), (0, 0), 0.9, "front", "", "human", "", "", -1)


class _Instant:
    """An executor that answers at once: what is left is the driver's and the manifest's time."""

    workers = 1

    def __init__(self, faces: int) -> None:
        self.answers: list[Result] = []
        self.count, self.faces = 0, faces

    @property
    def free(self) -> int:
        return 2 - len(self.answers)

    @property
    def idle(self) -> int:
        return 1 - bool(self.answers)

    def submit(self, task: Task) -> None:
        if task.id.startswith("find"):
            value: object = [_face(self.count * self.faces + i) for i in range(self.faces)]
            self.count += 1
        else:
            value = [Made(("portraits/a.png",) * 4, 1, "", 30.0)]
        self.answers.append(Result(task, value, None, 0.001))

    def results(self, timeout_seconds: float) -> list[Result]:
        answers, self.answers = self.answers, []
        return answers

    def close(self) -> None:
        pass


def manifest(count: int = 5000) -> None:
    """Time of the driver per file: hashing, recognition, records; bytes on disc per face."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        items = []
        for i in range(count):
            path = folder / f"Castle-{i}.png"
            path.write_bytes(b"%d" % i * 1000)
            status = path.stat()
            items.append(Item(path, "", "Castle", "", status.st_size, status.st_mtime_ns))
        for label, faces in (("no face", 0), ("one new face each", 1)):
            out = folder / f"out{faces}"
            with Batch(Job(out), _Instant(faces)) as batch:  # type: ignore[arg-type]
                seconds = cpu(lambda b=batch: (b.add(items), b.work()))  # type: ignore[misc]
                resumed = cpu(lambda b=batch: (b.add(items), b.work()))  # type: ignore[misc]
            size = sum(p.stat().st_size for p in out.glob("manifest.sqlite*"))
            print(
                f"driver and manifest, {label}: {seconds / count * 1e3:.2f} ms a file (to stay under 5), {size / count:.0f} bytes a file; a second look {resumed / count * 1e3:.3f} ms a file"
            )
        prints = [_face(i).rgba for i in range(200)]
        seconds = cpu(lambda: [fingerprint(p) for p in prints])
        print(f"fingerprint of a 16x16 face: {seconds / 200 * 1e3:.3f} ms")


def workers(rounds: int = 3, size: int = 512) -> None:
    """Speed-up with two workers, portraits of the real generator, everything warm.

    Each round makes one face twice: one after the other by one worker, then at the same time by
    two. So neither the faces nor what else the machine does favours a side. Every worker has one
    thread. Beside the wall clock stands what remains when other load is left out: twice the ratio
    of CPU seconds per portrait, which falls below 2 where workers hinder each other.
    """
    for name in THREADS:
        os.environ[name] = "1"
    found: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        drawings = [d for d in art.DRAWINGS if d.name in FOLK][: rounds + 1]
        faces = []
        for drawing in drawings:
            Image.fromarray(art.paint(drawing)).save(folder / f"{drawing.name}.png")
            faces.append(FoundFace.of(find_faces(folder / f"{drawing.name}.png")[0]))
        job = Job(folder / "out", portrait=PortraitOptions(size=size))
        pools = {number: LocalPool(WORKER, job, workers=number) for number in (1, 2)}
        try:
            for number, pool in pools.items():
                _portraits(pool, faces[:1] * number)  # the workers load the generator
            for face in faces[1:]:
                wall, cpu_seconds = {}, {}
                for number, pool in pools.items():
                    before, began = _cpu_seconds(pool.pids), time.perf_counter()
                    _portraits(pool, [face] * 2)
                    wall[number] = time.perf_counter() - began
                    cpu_seconds[number] = _cpu_seconds(pool.pids) - before
                found.append((wall[1] / wall[2], 2 * cpu_seconds[1] / cpu_seconds[2]))
                print(
                    f"  two portraits of {size} px: {wall[1]:.1f} s by one worker, {wall[2]:.1f} s "
                    f"by two; CPU {cpu_seconds[1]:.1f} s and {cpu_seconds[2]:.1f} s"
                )
        finally:
            for pool in pools.values():
                pool.close()
    clock, work = (statistics.median(values) for values in zip(*found))
    print(
        f"two workers are {clock:.2f} times as fast as one by the clock, {work:.2f} times by CPU "
        f"seconds, median of {len(found)} (to reach 1.7)"
    )


def _cpu_seconds(pids: list[int]) -> float:
    """Processor time of processes with all their threads (Linux)."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])  # utime and stime
    return ticks / os.sysconf("SC_CLK_TCK")


def _portraits(pool: LocalPool, faces: list[FoundFace]) -> None:
    from spriteface.batch.work import MakeTask

    waiting = [
        Task(f"make:{i}", MakeTask(f, Path("x.png"), f"bench/{i}", i), alone=True)
        for i, f in enumerate(faces)
    ]
    done = 0
    while done < len(faces):
        while waiting and pool.idle:
            pool.submit(waiting.pop(0))
        for result in pool.results(1.0):
            assert result.failure is None, result.failure
            done += 1


def kills(count: int = 60) -> None:
    """kill -9 at random moments of a run, again and again until it is through; then everything is
    compared with a run that nobody disturbed."""
    import random
    import subprocess

    from tests.test_batch_run import DRIVER, many, outcome, run

    env = {**os.environ, "PYTHONPATH": str(Path.cwd()), "BATCH_TEST_DELAY": "0.02"}
    rng, killed, runs, wrong = random.Random(1), 0, 0, 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        many(folder / "shots", 40)
        began = time.perf_counter()
        run(folder / "shots", folder / "whole", workers=2)
        whole = time.perf_counter() - began
        expected = outcome(folder / "whole")
        while killed < count:
            out, through = folder / f"out{runs}", False
            while not through and killed < count:
                driver = subprocess.Popen(
                    [sys.executable, "-c", DRIVER, folder / "shots", out, "2"], env=env
                )
                try:
                    through = driver.wait(0.3 + rng.random() * whole) == 0
                except subprocess.TimeoutExpired:
                    driver.kill()
                    driver.wait()
                    killed += 1
            run(folder / "shots", out, workers=2)
            wrong += outcome(out) != expected or bool(list(out.rglob(".*.part")))
            runs += 1
    print(f"{killed} times kill -9 in {runs} runs of {whole:.1f} s: {wrong} ended otherwise")


def gallery(count: int = 5000) -> None:
    """Time and size of the page with five thousand characters."""
    from spriteface.batch.manifest import Manifest
    from tests.test_batch_gallery import fill

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fill(folder, count)
        with Manifest(folder) as opened:
            seconds = cpu(lambda: write_gallery(opened, folder))
        size = (folder / "index.html").stat().st_size
        print(f"page with {count} characters: {seconds:.1f} s, {size / 1e6:.1f} MB")


def ray(count: int = 120) -> None:
    """A Ray cluster of two nodes on this machine: start, round trip, a worker killed."""
    import signal

    try:
        from ray.cluster_utils import Cluster
    except ImportError:
        print("ray: not installed (pip install 'spriteface[ray]')")
        return
    from spriteface.batch.ray_pool import RayPool
    from tests.test_batch_ray import _a_worker
    from tests.test_batch_run import job, many, outcome, run

    os.environ["PYTHONPATH"] = os.pathsep.join((str(Path.cwd()), os.environ.get("PYTHONPATH", "")))
    began = time.perf_counter()
    cluster = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False}
    )
    cluster.add_node(num_cpus=1)
    pool = RayPool("tests.batch_tasks:echo", None, address=cluster.address)
    pool.submit(Task("first", 0))
    while not pool.results(1.0):
        pass
    print(f"ray: two nodes up and the first answer in {time.perf_counter() - began:.1f} s")
    began, left, done = time.perf_counter(), 400, 0
    while done < 400:
        while left and pool.free:
            pool.submit(Task(f"{left}", left))
            left -= 1
        done += len(pool.results(1.0))
    print(f"ray: {(time.perf_counter() - began) / 400 * 1e3:.1f} ms a small task, two actors")
    pool.close()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        many(folder / "shots", count)
        run(folder / "shots", folder / "local", workers=2)
        began = time.perf_counter()
        executor = RayPool(WORKER, job(folder / "out"), address=cluster.address)
        with Batch(job(folder / "out"), executor) as batch:
            batch.add(walk([folder / "shots"])[0])
            steps = killed = 0
            while batch.step():
                steps += 1
                if steps % 40 == 10 and (pid := _a_worker()):
                    os.kill(pid, signal.SIGKILL)
                    killed += 1
            progress = batch.progress()
        same = outcome(folder / "out") == outcome(folder / "local")
        print(
            f"ray: {progress.files} pictures, {progress.portraits_done} portraits, {killed} workers killed: "
            f"{time.perf_counter() - began:.1f} s, {progress.failed} lost, same as without Ray: {same}"
        )
    cluster.shutdown()


STUDIES: dict[str, Callable[[], None]] = {
    "extract": extract,
    "recognition": recognition,
    "playthrough": playthrough,
    "manifest": manifest,
    "workers": workers,
    "kills": kills,
    "gallery": gallery,
    "ray": ray,
}


def main() -> None:
    print(describe())
    for name in sys.argv[1:] or STUDIES:
        STUDIES[name]()


if __name__ == "__main__":
    main()
