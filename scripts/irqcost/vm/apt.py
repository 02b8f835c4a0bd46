# SPDX-License-Identifier: GPL-2.0-only
"""Debian packages of any suite, by a private apt configuration: nothing is ever installed.

The archive is the one that the machine itself uses, so its mirrors, proxies and keys hold here too.
"""

import re
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from irqcost.base.errors import IrqcostError

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")

# A source is Debian's own archive if its suite is one of Debian's; Ubuntu's have other names.
_DEBIAN_SUITE = re.compile(
    r"^(?:buster|bullseye|bookworm|trixie|forky|duke|sid"
    r"|oldoldstable|oldstable|stable|testing|unstable)"
    r"(?P<pocket>-[a-z-]+|/updates)?/?$"
)
_SECURITY_POCKETS = ("-security", "/updates")


@dataclass(frozen=True)
class Source:
    """A place to get packages from. @signed_by is a path, a key block, or "" for apt's own keys."""

    uri: str
    suites: tuple[str, ...]
    signed_by: str = ""


@dataclass(frozen=True)
class Archive:
    """Debian's main archive, and its security archive where one is known."""

    main: Source
    security: Source | None


def parse_deb822(text: str) -> list[Source]:
    """The enabled binary sources of a *.sources file (deb822, see sources.list(5))."""
    sources = []
    for stanza in re.split(r"\n\s*\n", text):
        fields: dict[str, str] = {}
        name = ""
        for line in stanza.splitlines():
            if line.startswith("#"):
                continue
            if line[:1].isspace():
                fields[name] = fields.get(name, "") + "\n" + line
            elif ":" in line:
                name, value = line.split(":", 1)
                name = name.strip().lower()
                fields[name] = value.strip()
        if fields.get("enabled", "yes").lower() in ("no", "false", "0"):
            continue
        if "deb" in fields.get("types", "").split():
            suites = tuple(fields.get("suites", "").split())
            signed_by = fields.get("signed-by", "")
            sources += [Source(uri, suites, signed_by) for uri in fields.get("uris", "").split()]
    return sources


def parse_one_line(text: str) -> list[Source]:
    """The binary sources of a *.list file: `deb [options] uri suite components`."""
    sources = []
    for line in text.splitlines():
        match = re.match(
            r"^\s*deb\s+(?:\[(?P<options>[^]]*)\]\s*)?(?P<uri>\S+)\s+(?P<suite>\S+)", line
        )
        if match:
            signed = re.search(r"(?:^|\s)signed-by=(\S+)", match["options"] or "", re.IGNORECASE)
            sources.append(Source(match["uri"], (match["suite"],), signed[1] if signed else ""))
    return sources


def machine_sources(etc: Path = Path("/etc/apt")) -> list[Source]:
    """All sources that this machine's apt would use."""
    sources: list[Source] = []
    parts = sorted((etc / "sources.list.d").glob("*"))
    for path in [etc / "sources.list", *parts]:
        if path.is_file() and path.suffix in (".list", ".sources"):
            text = path.read_text(encoding="utf-8", errors="replace")
            sources += parse_deb822(text) if path.suffix == ".sources" else parse_one_line(text)
    return sources


def find_archive(sources: Iterable[Source], mirror: str | None = None) -> Archive:
    """Debian's archive: @mirror and, as mirrors lay it out, @mirror-security; else from @sources.

    Raises IrqcostError where there is neither.
    """
    if mirror:
        uri = mirror.rstrip("/")
        if not re.match(r"^[a-z+]+:", uri):
            raise IrqcostError(f"--mirror {mirror}: not a URL such as http://MIRROR/debian")
        signed_by = str(KEYRING)
        if not KEYRING.exists():
            raise IrqcostError(f"{KEYRING} is missing: install the package debian-archive-keyring")
        return Archive(Source(uri, (), signed_by), Source(f"{uri}-security", (), signed_by))
    main = security = None
    for source in sources:
        for suite in source.suites:
            match = _DEBIAN_SUITE.match(suite)
            if not match:
                continue
            if match["pocket"] in _SECURITY_POCKETS:
                security = security or source
            else:
                main = main or source
    if not main:
        raise IrqcostError(
            "this machine's apt sources name no Debian archive, from which the kernels come: "
            "give one with --mirror http://MIRROR/debian (needs the package debian-archive-keyring)"
        )
    return Archive(main, security)


def suites_of(release: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The suites of a Debian @release: in the main archive, and in the security archive.

    The first one is whole; experimental and backports hold little, and the rest is of that one.
    sid has no security suite.
    """
    if release == "experimental":
        return ("sid", "experimental"), ()
    if release == "sid":
        return ("sid",), ()
    base = release.removesuffix("-backports")
    return tuple(dict.fromkeys((base, release))), (f"{base}-security",)


def sources_text(archive: Archive, release: str, components: str = "main") -> str:
    """The *.sources file for one Debian release: its main and its security suites."""
    stanzas = []
    main, security = suites_of(release)
    for source, suites in ((archive.main, main), (archive.security, security)):
        if source and suites:
            lines = ["Types: deb", f"URIs: {source.uri}", f"Suites: {' '.join(suites)}"]
            lines.append(f"Components: {components}")
            if source.signed_by:
                lines.append(f"Signed-By: {source.signed_by}")
            stanzas.append("\n".join(lines) + "\n")
    return "\n".join(stanzas)


def parse_depends(text: str) -> list[str]:
    """Names that `apt-cache depends --important` lists; of alternatives the first."""
    names = []
    alternative = False
    for line in text.splitlines():
        match = re.match(r"^ (?P<more>[| ])(?:Pre)?Depends: (?P<name>\S+)$", line)
        if match:
            if not alternative:
                # What a package of another architecture wants of one that is the same on all.
                names.append(re.sub(r"^<(.+):\w+>$", r"\1", match["name"]))
            alternative = match["more"] == "|"
    return names


class PrivateApt:
    """apt with its own sources, lists and cache, all below @root; needs no privileges.

    @foreign: a further architecture, by Debian's name; its packages are named NAME:ARCHITECTURE.
    """

    def __init__(self, root: Path, archive: Archive, release: str, foreign: str = "") -> None:
        self.release = release
        for part in ("lists/partial", "cache/archives/partial"):
            (root / part).mkdir(parents=True, exist_ok=True)
        sources = root / "debian.sources"
        sources.write_text(sources_text(archive, release), encoding="utf-8")
        settings: dict[str, str | Path] = {
            "Dir::Etc::SourceList": sources,
            "Dir::Etc::SourceParts": "/dev/null",
            "Dir::Etc::Preferences": "/dev/null",
            "Dir::Etc::PreferencesParts": "/dev/null",
            "Dir::State::Lists": root / "lists",
            "Dir::State::status": "/dev/null",
            "Dir::Cache": root / "cache",
            "APT::Architecture": "amd64",
            # The cache may lie where the user _apt cannot write.
            "APT::Sandbox::User": "root",
            "APT::Update::Error-Mode": "any",
            # Whatever this machine's own configuration allows: what nobody signed is refused.
            "Acquire::AllowInsecureRepositories": "false",
            "Acquire::AllowWeakRepositories": "false",
            "Acquire::AllowDowngradeToInsecureRepositories": "false",
            "APT::Get::AllowUnauthenticated": "false",
            "Acquire::Languages": "none",
            "Acquire::Retries": "2",
            "Acquire::http::Timeout": "30",
        }
        if len(suites_of(release)[0]) > 1:
            # By default apt takes nothing from there that the whole suite has as well.
            settings["APT::Default-Release"] = release
        self._options = [
            part for key, value in settings.items() for part in ("-o", f"{key}={value}")
        ]
        if foreign:
            for one in ("amd64", foreign):
                self._options += ["-o", f"APT::Architectures::={one}"]

    def _run(self, tool: str, *args: str, cwd: Path | None = None) -> str:
        command = [tool, "-q", *self._options, *args]
        try:
            done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
        except FileNotFoundError as error:
            raise IrqcostError(
                f"{tool} is missing: kernels are fetched as Debian packages"
            ) from error
        if done.returncode:
            # apt's own lines say what failed; the rest is its progress.
            said = [line for line in done.stderr.splitlines() if line[:2] in ("E:", "W:")]
            detail = "\n".join(said) or done.stderr.strip()
            raise IrqcostError(
                f"{tool} {' '.join(args)} for Debian {self.release} failed:\n{detail}"
            )
        return done.stdout

    def update(self) -> None:
        """Fetch the package lists. Raises IrqcostError where the mirror cannot be reached."""
        self._run("apt-get", "update")

    def closure(self, roots: Sequence[str], names: re.Pattern[str]) -> list[str]:
        """@roots and everything they depend on, as far as the name matches @names.

        Raises IrqcostError with the name of a package that the archive does not have.
        """
        found: list[str] = []
        todo = list(roots)
        while todo:
            name = todo.pop(0)
            if name in found:
                continue
            found.append(name)
            todo += [other for other in self.depends(name) if names.match(other)]
        return found

    def depends(self, name: str) -> list[str]:
        """What a package depends on itself. Raises IrqcostError where there is none of the name."""
        return parse_depends(self._run("apt-cache", "depends", "--important", name))

    def download(self, packages: Sequence[str], directory: Path) -> list[Path]:
        """Fetch @packages into @directory, checked by apt against the signed lists."""
        self._run("apt-get", "download", *packages, cwd=directory)
        return sorted(directory.glob("*.deb"))
