# SPDX-License-Identifier: GPL-2.0-only
"""`git bisect` by exact counts, in a work tree of its own: the user's stays as it is."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from irqcost.base.errors import Answer, Exit, IrqcostError
from irqcost.compare.ab import git
from irqcost.compare.bisect.counting import Unmeasurable

_FIRST = re.compile(r"^([0-9a-f]{40,64}) is the first bad commit$", re.MULTILINE)
_SUSPECT = re.compile(r"^([0-9a-f]{40,64})$", re.MULTILINE)

# Git's code where only commits are left that were skipped.
_ONLY_SKIPPED = 2


@dataclass(frozen=True)
class Found:
    """How it ended: the first bad commit, or where commits had to be skipped those that it may be.
    @good and @bad are the counts at the ends."""

    commits: tuple[str, ...]
    good: float
    bad: float

    @property
    def code(self) -> Exit:
        return Exit.OK if len(self.commits) == 1 else Exit.UNDECIDED


def is_bad(count: float, good: float, bad: float | None) -> bool:
    """Whether a count is on the bad side of the good one; `bad` says which side that is, and None
    that it is more."""
    return count < good if bad is not None and bad < good else count > good


def code(
    count: Callable[[], float], good: float, bad: float | None, say: Callable[[str], None]
) -> Answer:
    """The answer to `git bisect run` about the commit that is checked out."""
    try:
        found = count()
    except Unmeasurable as error:
        say(f"skip: {error}")
        return Answer.SKIP
    worse = is_bad(found, good, bad)
    say(f"{'bad' if worse else 'good'}: {instructions(found)}")
    return Answer.BAD if worse else Answer.GOOD


def instructions(count: float) -> str:
    return f"{count:g} instruction{'' if count == 1 else 's'}"


def found(
    repository: Path,
    folder: Path,
    ends: tuple[str, str],
    count: Callable[[Path], float],
    say: Callable[[str], None],
) -> Found:
    """Finds the first commit between `ends`, a good and a bad revision, whose count differs from
    the good one's as that of the bad one does. `folder` is for the work tree. Raises IrqcostError.
    """
    commits = [_commit(repository, revision) for revision in ends]
    with _worktree(repository, folder, commits[1]) as tree:
        good, bad = (_at_end(tree, *end, count, say) for end in zip(ends, commits))
        if good == bad:
            raise IrqcostError(
                f"{ends[0]} and {ends[1]} both execute {instructions(good)}: there is no commit to "
                "find"
            )
        started = _bisect(tree, "start", commits[1], commits[0])
        left = _outcome(started)
        while not left:
            answer = code(
                lambda: count(tree),
                good,
                bad,
                lambda text: say(f"{about(tree, 'HEAD')}: {text}"),
            )
            left = _outcome(_bisect(tree, answer.name.lower()))
    return Found(left, good, bad)


def about(repository: Path, commit: str) -> str:
    """A commit in a line."""
    return git.line(repository, "log", "-1", "--format=%h %s", "--abbrev=12", commit)


def _commit(repository: Path, revision: str) -> str:
    done = git.run(
        repository, "rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}"
    )
    if done.returncode:
        raise IrqcostError(f"{revision}: not a revision of {repository}: {git.complaint(done)}")
    return done.stdout.decode().strip()


def _at_end(
    tree: Path,
    revision: str,
    commit: str,
    count: Callable[[Path], float],
    say: Callable[[str], None],
) -> float:
    _done(tree, "checkout", "--quiet", "--detach", commit)
    try:
        counted = count(tree)
    except Unmeasurable as error:
        raise IrqcostError(f"{revision} cannot be counted: {error}") from error
    say(f"{about(tree, commit)}: {instructions(counted)} ({revision})")
    return counted


@contextmanager
def _worktree(repository: Path, folder: Path, commit: str) -> Iterator[Path]:
    tree = folder / "tree"
    # One whose folder is gone, because it was killed, would be in the way.
    _done(repository, "worktree", "prune")
    _done(repository, "worktree", "add", "--quiet", "--detach", str(tree), commit)
    try:
        yield tree
    finally:
        # With it goes what git knows of the bisection.
        git.run(repository, "worktree", "remove", "--force", str(tree))


def _done(folder: Path, *arguments: str) -> str:
    """Git without the hooks of the repository. Raises IrqcostError with what git said."""
    done = git.run(folder, "-c", "core.hooksPath=/dev/null", *arguments)
    if done.returncode:
        raise IrqcostError(f"git {' '.join(arguments)}: {git.complaint(done)}")
    return done.stdout.decode(errors="replace")


def _bisect(tree: Path, *arguments: str) -> str:
    done = git.run(tree, "-c", "core.hooksPath=/dev/null", "bisect", *arguments)
    if done.returncode not in (0, _ONLY_SKIPPED):
        raise IrqcostError(f"git bisect {' '.join(arguments)}: {git.complaint(done)}")
    return done.stdout.decode(errors="replace")


def _outcome(said: str) -> tuple[str, ...]:
    """The first bad commit; those that it may be; nothing where git goes on."""
    if first := _FIRST.search(said):
        return (first[1],)
    return tuple(_SUSPECT.findall(said))
