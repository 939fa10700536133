"""The ledger: every release is recorded, and a new one is refused that, subtracted from earlier ones, would single out too few people.

A folder, of one's own or a team's, for its owner only: a key, a lock, and one Parquet file a release with a keyed hash of every
conversation, the number of its account within that release, and its set in each partition. No text, no id, no user id, no facet's value.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from clio.errors import PrivacyError, RunError
from clio.privacy.accounts import Accounts
from clio.privacy.releases import Release, told_too_much
from clio.privacy.subtraction import TREE, Released
from clio.progress import Advance, silent
from clio.run_folder import RunFolder
from clio.stored import own_turns, turns_of

#: value of the setting ``ledger`` that keeps none
OFF = "off"

_KEY_BYTES = 32
_FORMAT = 1
_ABOUT = b"clio.release"


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """One recorded release: when it was made, its id, the run folder's name, its policy, and how many conversations it counts."""

    time: datetime
    id: str
    run: str
    policy: str
    conversations: int
    # by partition: what a number of its own needs, and how many depths there are
    needs: dict[str, tuple[float, int, int]] = field(compare=False, repr=False)
    trust: list[float] | None = field(compare=False, repr=False)


class Ledger:
    """The releases that are recorded in a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @staticmethod
    def of(setting: str, run: Path) -> Ledger | None:
        """The ledger that a run writes to.

        Args:
            setting: a folder, a relative one beside the run folder, or "off".
            run: the run folder.
        """
        return None if setting == OFF else Ledger(run.resolve().parent / Path(setting).expanduser())

    def record(
        self,
        conversations: Iterable[pa.RecordBatch],
        released: Released,
        run: str,
        policy: str,
        progress: Advance = silent,
    ) -> Entry:
        """Record a release before it is published. One that counts exactly the same as an earlier one is not recorded twice.

        Args:
            conversations: stored ones with the columns created_at and messages, in the order of the release.
            released: what is counted.
            run: name of the run folder.
            policy: name of the policy.
            progress: called with the number of conversations hashed.

        Raises:
            PrivacyError: earlier releases allow subtraction below the thresholds; nothing is recorded.
            RunError: the ledger cannot be read or written.
        """
        with self._held():
            hashes = _hashed(conversations, self._key(), progress)
            new = Release.of(hashes, released)
            id_ = _digest(new)
            earlier = self._entries()
            for entry in earlier:
                if entry.id == id_:
                    return entry
            if told := told_too_much(new, [self._load(entry) for entry in earlier]):
                found, names = told
                raise self._refused(found, [e for e in earlier if e.id in names], new)
            now = datetime.now(UTC)
            trust = released.accounts.trust
            weights = trust.tolist() if (trust != 1).any() else None
            entry = Entry(now, id_, run, policy, len(hashes), dict(new.needs), weights)
            self._write(new, entry)
            return entry

    def entries(self) -> list[Entry]:
        """The recorded releases, the oldest first.

        Raises:
            RunError: there is no ledger, or it cannot be read.
        """
        if not (self.path / "key").is_file():
            raise RunError(f"{self.path}: no ledger of releases; clio run keeps one beside the run folder")
        return self._entries()

    def find(self, id_: str) -> Entry:
        """A recorded release.

        Raises:
            RunError: there is none with this id, or the ledger cannot be read.
        """
        found = next((entry for entry in self.entries() if entry.id == id_), None)
        if found is None:
            raise RunError(
                f"{self.path}: no release '{id_[:20]}'; clio ledger {self.path} lists those there are"
            )
        return found

    def forget(self, id_: str) -> Entry:
        """Take a release out of the ledger, as if it had never been made; right only if nobody has seen it.

        Raises:
            RunError: there is no such release, or it cannot be deleted.
        """
        found = self.find(id_)
        with self._held():
            self._file(id_).unlink(missing_ok=True)
        return found

    @contextmanager
    def _held(self) -> Iterator[None]:
        """Make the folder if it is missing, and hold it while others wait."""
        try:
            # another run may make it at the same time
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            names = {entry.name for entry in self.path.iterdir()}
            if names and not names & {"key", "lock"}:
                raise RunError(
                    f"{self.path}: is not empty and no ledger of releases; choose another with --set ledger=FOLDER"
                )
            handle = os.open(self.path / "lock", os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600)
            with os.fdopen(handle, "w") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                yield
        except OSError as error:
            raise RunError(
                f"{self.path}: the ledger of releases cannot be written ({error.strerror});"
                " choose another with --set ledger=FOLDER"
            ) from None

    def _key(self) -> bytes:
        """The key of the hashes, made with the ledger."""
        path = self.path / "key"
        if path.exists():
            return path.read_bytes()
        if any(self.path.glob("*.parquet")):
            raise RunError(
                f"{path}: is missing, so that nothing can be compared with earlier releases; restore it"
            )
        made = secrets.token_bytes(_KEY_BYTES)
        self._replace(path, lambda beside: beside.write_bytes(made))
        return made

    def _file(self, id_: str) -> Path:
        return self.path / f"{id_}.parquet"

    def _replace(self, path: Path, write: Callable[[Path], Any]) -> None:
        """Write a file whole or not at all, its owner's only."""
        with RunFolder(self.path).replacing(path) as beside:
            write(beside)

    def _entries(self) -> list[Entry]:
        return sorted(_entry(path) for path in self.path.glob("[!.]*.parquet"))

    def _load(self, entry: Entry) -> Release:
        """A recorded release; its partitions are read when they are asked for."""
        path = self._file(entry.id)
        numbers = {name: number for number, name in enumerate(entry.needs)}

        def column(name: str) -> NDArray[Any]:
            try:
                return np.asarray(pq.read_table(path, columns=[name])[name].to_numpy())
            except (OSError, pa.ArrowInvalid, KeyError):
                raise _unreadable(path) from None

        user = column("account")
        trust = np.ones(int(user.max(initial=-1)) + 1) if entry.trust is None else np.asarray(entry.trust)
        return Release(
            entry.id,
            column("conversation"),
            Accounts(user >= 0, user, trust),
            entry.needs,
            lambda name, depth: column(f"{numbers[name]}.{depth}"),
        )

    def _write(self, new: Release, entry: Entry) -> None:
        columns: dict[str, pa.Array] = {
            "conversation": pa.array(new.conversations, pa.uint64()),
            "account": pa.array(new.accounts.user, pa.int32()),
        }
        for number, (name, (_, _, depths)) in enumerate(new.needs.items()):
            for depth in range(depths):
                columns[f"{number}.{depth}"] = pa.array(new.cut(name, depth), pa.int32())
        about = {
            "format": _FORMAT,
            "id": entry.id,
            "time": entry.time.isoformat(),
            "run": entry.run,
            "policy": entry.policy,
            "conversations": entry.conversations,
            "partitions": [[name, *needs] for name, needs in new.needs.items()],
            "trust": entry.trust,
        }
        table = pa.table(columns).replace_schema_metadata({_ABOUT: json.dumps(about).encode()})
        self._replace(self._file(entry.id), lambda beside: pq.write_table(table, beside, compression="zstd"))

    def _refused(self, found: int, earlier: Sequence[Entry], new: Release) -> PrivacyError:
        last, others = earlier[-1], len(earlier) - 1
        more = f" and {others} more" if others else ""
        users, conversations, _ = new.needs[TREE]
        return PrivacyError(
            f"subtracted from the release of {last.time:%Y-%m-%d} (run {last.run}, id {last.id}){more}, this one could single out"
            f" at least {found:,} {'group' if found == 1 else 'groups'} of fewer than {users:g} users or {conversations} conversations:"
            " release exactly the same conversations again, or only such as are in no release yet, or, if nobody has seen"
            f" that release, clio ledger {self.path} --forget {last.id}"
        )


def _entry(path: Path) -> Entry:
    """What a recorded release's file says of it.

    Raises:
        RunError: it cannot be read.
    """
    try:
        about = json.loads(pq.read_schema(path).metadata[_ABOUT])
        if about["format"] != _FORMAT:
            raise RunError(f"{path}: was written by a newer version of Clio; use that one")
        return Entry(
            datetime.fromisoformat(about["time"]),
            about["id"],
            about["run"],
            about["policy"],
            about["conversations"],
            {name: (users, least, depths) for name, users, least, depths in about["partitions"]},
            about["trust"],
        )
    except (OSError, pa.ArrowInvalid, ValueError, KeyError, TypeError):
        raise _unreadable(path) from None


def _unreadable(path: Path) -> RunError:
    return RunError(f"{path}: cannot be read; restore it, or delete it if nobody has seen that release")


def _hashed(batches: Iterable[pa.RecordBatch], key: bytes, progress: Advance) -> NDArray[np.uint64]:
    """Who is who across runs: a keyed hash of each conversation, uint64 (n,), repeats numbered.

    Of the time and the user's first message where there is a time, so that a conversation that went on stays itself; else of all messages.
    """
    found: list[int] = []
    repeats: dict[int, int] = {}
    for batch in batches:
        times = batch["created_at"].cast(pa.int64()).to_pylist()
        timed = batch["created_at"].null_count < len(batch)
        own = own_turns(batch) if timed else [[]] * len(batch)
        by_first = [time is not None and bool(said) for time, said in zip(times, own, strict=True)]
        turns = [] if all(by_first) else turns_of(batch)
        for row, first in enumerate(by_first):
            one = _hash(key, orjson.dumps([times[row], own[row][0]] if first else turns[row]))
            before = repeats[one] = repeats.get(one, -1) + 1
            found.append(_hash(key, b"%d %d" % (one, before)) if before else one)
        progress(len(batch))
    return np.asarray(found, np.uint64)


def _hash(key: bytes, content: bytes) -> int:
    return int.from_bytes(hmac.digest(key, content, "sha256")[:8], "big")


def _digest(release: Release) -> str:
    """The id of a release: the same for the same conversations, accounts and sets, however the sets are numbered."""
    found = hashlib.sha256()
    for array in (release.conversations, release.accounts.user, release.accounts.trust):
        found.update(array.tobytes())
    for name, needs in sorted(release.needs.items()):
        found.update(json.dumps([name, *needs]).encode())
        for depth in range(needs[-1]):
            numbers = np.unique(release.cut(name, depth), return_inverse=True)[1]
            found.update(numbers.astype(np.int32).tobytes())
    return found.hexdigest()[:12]
