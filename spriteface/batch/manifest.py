"""What has been found and made, on disc at every moment: the batch's memory.

One SQLite file in the output folder. Files are registered in a fixed order and each in one
transaction, so that a run that was killed and resumed leaves the same rows as one that wasn't.
A portrait's key is the sha256 of everything it depends on: pixels, identity, options, generator
and version; a resumed run makes only the keys that aren't there.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import InputError, SinkError
from .recognise import Kind
from .walk import Item
from .work import FoundFace, Made

SCHEMA_VERSION = 2
NAME = "manifest.sqlite"
_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE files (
    id INTEGER PRIMARY KEY, path TEXT NOT NULL, member TEXT NOT NULL, game TEXT NOT NULL,
    taken TEXT NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, sha256 TEXT,
    status TEXT NOT NULL DEFAULT 'pending', tries INTEGER NOT NULL DEFAULT 0, reason TEXT,
    hint TEXT, seconds REAL, UNIQUE (path, member)
);
CREATE INDEX files_by_sha256 ON files (sha256);
CREATE TABLE faces (
    id INTEGER PRIMARY KEY, exact TEXT NOT NULL UNIQUE, game TEXT NOT NULL, name TEXT NOT NULL,
    person INTEGER NOT NULL, portrait INTEGER NOT NULL, kind TEXT NOT NULL, linked INTEGER,
    distance REAL NOT NULL, file INTEGER NOT NULL REFERENCES files (id), about TEXT NOT NULL,
    pixels BLOB NOT NULL
);
CREATE TABLE occurrences (
    file INTEGER NOT NULL REFERENCES files (id), number INTEGER NOT NULL,
    face INTEGER NOT NULL REFERENCES faces (id), box TEXT NOT NULL, score REAL NOT NULL,
    mirrored INTEGER NOT NULL, frame INTEGER NOT NULL, PRIMARY KEY (file, number)
) WITHOUT ROWID;
CREATE INDEX occurrences_by_face ON occurrences (face);
CREATE TABLE portraits (
    key TEXT PRIMARY KEY, face INTEGER NOT NULL REFERENCES faces (id),
    status TEXT NOT NULL DEFAULT 'pending', tries INTEGER NOT NULL DEFAULT 0, reason TEXT,
    hint TEXT, seconds REAL, made TEXT
) WITHOUT ROWID;
CREATE INDEX portraits_by_status ON portraits (status, face);
CREATE INDEX portraits_by_face ON portraits (face);
"""


@dataclass(frozen=True)
class FileRow:
    id: int
    path: Path
    member: str
    game: str
    tries: int

    @property
    def label(self) -> str:
        return f"{self.path}!{self.member}" if self.member else str(self.path)

    @property
    def item(self) -> Item:
        return Item(self.path, self.member, self.game)


@dataclass(frozen=True, eq=False)
class FaceRow:
    """A distinct face. `person` and `portrait` are the faces whose identity and portrait it has."""

    id: int
    exact: str
    game: str
    name: str
    person: int
    portrait: int
    kind: Kind
    linked: int | None
    source: Path
    found: FoundFace


@dataclass(frozen=True)
class Occurrence:
    """Where a face is in a file; `box` [x, y, w, h] in file pixels, `frame` from 0."""

    face: int
    box: Sequence[int]
    score: float
    mirrored: bool
    frame: int = 0


class Manifest:
    """The open manifest of an output folder, held by one run at a time.

    Raises:
        InputError: another run holds it, or it's of another layout.
        SinkError: it can't be written.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        self._lock = _hold(folder)
        with _sink(self.path):
            self._db = sqlite3.connect(self.path, isolation_level=None)
            self._db.execute("PRAGMA journal_mode = WAL")
            # A killed process loses nothing; a power cut at most the last transactions, which
            # are then done again.
            self._db.execute("PRAGMA synchronous = NORMAL")
            if not self._db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
                with self.transaction():
                    for statement in _SCHEMA.strip().split(";\n"):
                        self._db.execute(statement)
                    self._db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version != SCHEMA_VERSION:
            self.close()
            raise InputError(
                f"{self.path} is of another version ({version})", "choose another folder with -o"
            )

    def close(self) -> None:
        self._db.close()
        self._lock.close()

    def __enter__(self) -> Manifest:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All of the block or nothing."""
        with _sink(self.path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    # ------------------------------------------------------------------ options of the run
    def settle(self, options: Mapping[str, Any]) -> None:
        """Remember what the run was begun with.

        Raises:
            InputError: it was begun with something else.
        """
        before = self._db.execute("SELECT value FROM meta WHERE key = 'options'").fetchone()
        if before is None:
            with self.transaction():
                self._db.execute(
                    "INSERT INTO meta VALUES ('options', ?)", (json.dumps(options, sort_keys=True),)
                )
            return
        old = json.loads(before[0])
        new = json.loads(json.dumps(options))
        changed = sorted(k for k in {*old, *new} if old.get(k) != new.get(k))
        if changed:
            raise InputError(
                f"{self.path.parent} was begun with other values of {', '.join(changed)}",
                "give the same options again, or another folder with -o",
            )

    # ------------------------------------------------------------------------------- files
    def add_files(self, items: Iterable[Item]) -> None:
        """New files become pending; those that changed since lose what was found in them."""
        with self.transaction():
            for item in items:
                key = (str(item.path), item.member)
                row = self._db.execute(
                    "SELECT id, size, mtime_ns FROM files WHERE path = ? AND member = ?", key
                ).fetchone()
                if row is None:
                    self._db.execute(
                        "INSERT INTO files (path, member, game, taken, size, mtime_ns) "
                        "VALUES (?, ?, ?, ?, ?, ?)",
                        (*key, item.game, item.taken, item.size, item.mtime_ns),
                    )
                elif row[1:] != (item.size, item.mtime_ns):
                    self._db.execute("DELETE FROM occurrences WHERE file = ?", (row[0],))
                    self._db.execute(
                        "UPDATE files SET size = ?, mtime_ns = ?, sha256 = NULL, tries = 0, "
                        "status = 'pending', reason = NULL, hint = NULL WHERE id = ?",
                        (item.size, item.mtime_ns, row[0]),
                    )

    def pending_files(self, after: int = 0, count: int = 256) -> list[FileRow]:
        rows = self._db.execute(
            "SELECT id, path, member, game, tries FROM files "
            "WHERE status = 'pending' AND id > ? ORDER BY id LIMIT ?",
            (after, count),
        )
        return [FileRow(r[0], Path(r[1]), *r[2:]) for r in rows]

    def twin(self, sha256: str) -> int | None:
        """A file of the same bytes that is done."""
        row = self._db.execute(
            "SELECT id FROM files WHERE sha256 = ? AND status = 'done' ORDER BY id", (sha256,)
        ).fetchone()
        return None if row is None else int(row[0])

    def file_done(self, file: int, sha256: str, seconds: float) -> None:
        self._db.execute(
            "UPDATE files SET status = 'done', sha256 = ?, seconds = ?, reason = NULL WHERE id = ?",
            (sha256, seconds, file),
        )

    def file_tried(self, file: int, status: str, reason: str, hint: str) -> None:
        """One more try that failed; `status` is pending, failed or quarantined."""
        with self.transaction():
            self._db.execute(
                "UPDATE files SET status = ?, tries = tries + 1, reason = ?, hint = ? WHERE id = ?",
                (status, reason, hint, file),
            )

    def copy_occurrences(self, source: int, to: int) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO occurrences "
            "SELECT ?, number, face, box, score, mirrored, frame FROM occurrences WHERE file = ?",
            (to, source),
        )

    # ------------------------------------------------------------------------------- faces
    def add_face(
        self,
        exact: str,
        found: FoundFace,
        *,
        file: FileRow,
        kind: Kind,
        person: int,
        portrait: int,
        linked: int,
        distance: float,
    ) -> int:
        """A face not met before, as it was first seen; -1 stands for none or itself."""
        about, pixels = found.to_row()
        cursor = self._db.execute(
            "INSERT INTO faces (exact, game, name, person, portrait, kind, linked, distance, file, "
            "about, pixels) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                exact, file.game, file.item.stem, person, portrait, str(kind),
                linked if linked >= 0 else None, distance, file.id, json.dumps(about), pixels,
            ),
        )  # fmt: skip
        number = int(cursor.lastrowid or 0)
        for column, value in (("person", person), ("portrait", portrait)):
            if value < 0:
                self._db.execute(f"UPDATE faces SET {column} = id WHERE id = ?", (number,))
        return number

    def add_occurrence(self, file: int, number: int, occurrence: Occurrence) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO occurrences VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                file, number, occurrence.face, json.dumps(list(occurrence.box)), occurrence.score,
                occurrence.mirrored, occurrence.frame,
            ),
        )  # fmt: skip

    _FACE = (
        "SELECT f.id, f.exact, f.game, f.name, f.person, f.portrait, f.kind, f.linked, "
        "files.path, files.member, f.about, f.pixels FROM faces f JOIN files ON files.id = f.file "
    )

    def face(self, number: int) -> FaceRow:
        return next(self._faces("WHERE f.id = ?", number))

    def faces(self) -> Iterator[FaceRow]:
        return self._faces("ORDER BY f.id")

    def _faces(self, where: str, *values: Any) -> Iterator[FaceRow]:
        for row in self._db.execute(self._FACE + where, values):
            path, member, about, pixels = row[8:]
            yield FaceRow(
                id=row[0],
                exact=row[1],
                game=row[2],
                name=row[3],
                person=row[4],
                portrait=row[5],
                kind=Kind(row[6]),
                linked=row[7],
                source=Path(f"{path}!{member}" if member else path),
                found=FoundFace.from_row(json.loads(about), pixels),
            )

    # --------------------------------------------------------------------------- portraits
    def want_portrait(self, key: str, face: int) -> None:
        self._db.execute("INSERT OR IGNORE INTO portraits (key, face) VALUES (?, ?)", (key, face))

    def pending_portraits(self, count: int, *, but: Iterable[str] = ()) -> list[tuple[str, int]]:
        """(key, face) of portraits to make, those of the faces met first before the others. Poses
        wait for the portrait of their person's first face, which says who that is."""
        barred = set(but)
        rows = self._db.execute(
            "SELECT key, face FROM portraits WHERE status = 'pending' AND NOT EXISTS ("
            "SELECT 1 FROM faces JOIN portraits AS first ON first.face = faces.person "
            "WHERE faces.id = portraits.face AND faces.person != faces.id "
            "AND first.status = 'pending') ORDER BY face LIMIT ?",
            (count + len(barred),),
        )
        return [(key, face) for key, face in rows if key not in barred][:count]

    def has_portrait(self, face: int) -> bool:
        row = self._db.execute(
            "SELECT 1 FROM portraits WHERE face = ? AND status = 'done'", (face,)
        ).fetchone()
        return row is not None

    def portrait_done(self, key: str, made: Sequence[Made], seconds: float) -> None:
        with self.transaction():
            self._db.execute(
                "UPDATE portraits SET status = 'done', seconds = ?, made = ?, reason = NULL "
                "WHERE key = ?",
                (seconds, json.dumps([vars(m) for m in made]), key),
            )

    def portrait_tried(self, key: str, status: str, reason: str, hint: str) -> None:
        with self.transaction():
            self._db.execute(
                "UPDATE portraits SET status = ?, tries = tries + 1, reason = ?, hint = ? "
                "WHERE key = ?",
                (status, reason, hint, key),
            )

    def reopen(self, files: Iterable[int], portraits: Iterable[str]) -> None:
        """Have another go at what failed for a reason that wasn't its own."""
        change = "SET status = 'pending', tries = 0, reason = NULL, hint = NULL"
        with self.transaction():
            for file in files:
                self._db.execute(f"UPDATE files {change} WHERE id = ?", (file,))
            for key in portraits:
                self._db.execute(f"UPDATE portraits {change} WHERE key = ?", (key,))

    def portrait_tries(self, key: str) -> int:
        row = self._db.execute("SELECT tries FROM portraits WHERE key = ?", (key,)).fetchone()
        return int(row[0])

    def missing_results(self, folder: Path) -> int:
        """Portraits whose file is gone or cut short become pending again; how many."""
        lost = []
        for key, made in self._db.execute("SELECT key, made FROM portraits WHERE status = 'done'"):
            for one in json.loads(made):
                paths = [folder / name for name in one["files"]]
                if not all(p.is_file() for p in paths) or (
                    paths[0].stat().st_size != one["size_bytes"]
                ):
                    lost.append(key)
                    break
        with self.transaction():
            for key in lost:
                self._db.execute("UPDATE portraits SET status = 'pending' WHERE key = ?", (key,))
        return len(lost)

    # ------------------------------------------------------------------------------ counts
    def counts(self, table: str) -> dict[str, int]:
        """Rows of "files" or "portraits" by status."""
        assert table in ("files", "portraits")
        return dict(self._db.execute(f"SELECT status, COUNT(*) FROM {table} GROUP BY status"))

    def by_game(self) -> list[tuple[str, int, int, int]]:
        """(game, files, faces found in them, characters) in order of name."""
        rows = self._db.execute(
            "SELECT g.game, g.files, COALESCE(o.n, 0), COALESCE(c.n, 0) FROM "
            "(SELECT game, COUNT(*) AS files FROM files GROUP BY game) g LEFT JOIN "
            "(SELECT game, COUNT(*) AS n FROM occurrences JOIN files ON files.id = file "
            " GROUP BY game) o ON o.game = g.game LEFT JOIN "
            "(SELECT game, COUNT(*) AS n FROM faces WHERE portrait = id GROUP BY game) c "
            "ON c.game = g.game ORDER BY g.game"
        )
        return [tuple(row) for row in rows]

    def occurrence_count(self) -> int:
        return int(self._db.execute("SELECT COUNT(*) FROM occurrences").fetchone()[0])

    def face_count(self) -> int:
        return int(self._db.execute("SELECT COUNT(*) FROM faces").fetchone()[0])

    def failures(self) -> list[tuple[str, str, str, str]]:
        """(file or face, status, reason, hint) of whatever could not be done."""
        rows = self._db.execute(
            "SELECT path || CASE member WHEN '' THEN '' ELSE '!' || member END, status, reason, "
            "hint FROM files WHERE status IN ('failed', 'quarantined') UNION ALL "
            "SELECT 'portrait of ' || faces.name, status, reason, hint FROM portraits "
            "JOIN faces ON faces.id = face WHERE status IN ('failed', 'quarantined')"
        )
        return [(a, b, c or "", d or "") for a, b, c, d in rows]

    def characters(self) -> Iterator[tuple[FaceRow, list[dict[str, Any]], float]]:
        """(face, its portraits' records, seconds) of every portrait made, in order."""
        rows = self._db.execute(
            "SELECT face, made, seconds FROM portraits WHERE status = 'done' ORDER BY face"
        ).fetchall()
        for face, made, seconds in rows:
            yield self.face(face), json.loads(made), seconds or 0.0

    def links(self) -> Iterator[tuple[int, int, int, Kind]]:
        """(face, whose portrait it has, the face it's linked to, how)."""
        rows = self._db.execute(
            "SELECT id, portrait, linked, kind FROM faces WHERE linked IS NOT NULL ORDER BY id"
        )
        for face, portrait, linked, kind in rows:
            yield face, portrait, linked, Kind(kind)

    def where(self, portrait: int) -> Iterator[tuple[str, str, str, list[int], bool, int]]:
        """(file, game, taken, box, mirrored, frame) of every occurrence that a portrait serves."""
        rows = self._db.execute(
            "SELECT path || CASE member WHEN '' THEN '' ELSE '!' || member END, files.game, taken, "
            "box, mirrored, frame FROM occurrences JOIN faces ON faces.id = face "
            "JOIN files ON files.id = occurrences.file WHERE faces.portrait = ? "
            "ORDER BY files.id, number",
            (portrait,),
        )
        for path, game, taken, box, mirrored, frame in rows:
            yield path, game, taken, json.loads(box), bool(mirrored), int(frame)


def portrait_key(
    rgba: bytes, shape: Sequence[int], person_seed: int, options: Mapping[str, Any]
) -> str:
    """sha256 of everything a portrait depends on; `options` include generator and version."""
    about = json.dumps([list(shape), person_seed, dict(options)], sort_keys=True)
    return hashlib.sha256(about.encode() + b"\0" + rgba).hexdigest()


@contextlib.contextmanager
def _sink(path: Path) -> Iterator[None]:
    """SQLite's troubles in our words."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        hint = "free some space" if "full" in str(error) else "choose another folder with -o"
        raise SinkError(f"can't write {path}: {error}", hint) from error
    except OSError as error:
        raise SinkError(f"can't write {path}: {error.strerror or error}") from error


def _hold(folder: Path) -> sqlite3.Connection:
    """A lock on the folder that the system lets go of when the process ends, however it ends."""
    path = folder / ".lock"
    with _sink(path):
        lock = sqlite3.connect(path, timeout=0.1, isolation_level=None)
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            lock.close()
            if "locked" not in str(error):
                raise
            raise InputError(
                f"another run is writing to {folder}", "wait for it, or choose another with -o"
            ) from error
    return lock
