# SPDX-License-Identifier: GPL-2.0-only
"""Installs, uses, upgrades, removes and purges the Debian packages in a fresh minimal system, and
builds the module there through DKMS for kernels that ./irqcost vm has unpacked.

Needs root and the package debootstrap. A table of the steps is printed.
"""

import argparse
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import platforms
from irqcost import ROOT
from irqcost.base import layout
from irqcost.base.errors import IrqcostError
from irqcost.vm import apt
from irqcost.vm.kernels import find_kernel
from platforms import Root

_PACKAGES = ROOT / "build" / "package" / "packages"
_LOGS = ROOT / "build" / "packages"
_NEW, _NEWER = "/root/new", "/root/newer"

_RECOMMENDS = "apt-get -q -y -o APT::Sandbox::User=root install"
_APT = f"{_RECOMMENDS} --no-install-recommends"
# Out of the way of a command that would build something, and back for DKMS.
_HIDDEN = "/root/hidden"
_HIDE = (
    f"mkdir -p {_HIDDEN}; for one in cc c++ gcc g++ make cmake; do "
    f'if [ -e "/usr/bin/$one" ]; then mv "/usr/bin/$one" {_HIDDEN}; fi; done; '
    "! command -v cc && ! command -v g++ && ! command -v make"
)
_SHOW = f"mkdir -p {_HIDDEN}; find {_HIDDEN} -mindepth 1 -exec mv -n {{}} /usr/bin/ ';'"
_RESULTS = "/root/.local/share/irqcost/results"

# What a shell does with the completion of `irqcost doc`.
_BASH = r"""bash -c '
  . /usr/share/bash-completion/bash_completion; _completion_loader irqcost
  COMP_LINE="irqcost doc" COMP_POINT=11 COMP_WORDS=(irqcost doc) COMP_CWORD=1
  _python_argcomplete irqcost; echo "${COMPREPLY[@]}"; [[ ${COMPREPLY[*]} == *doctor* ]]'"""
_ZSH = r"""zsh -c '
  _describe() { print -l -- $found }; BUFFER="irqcost doc" CURSOR=11 words=(irqcost doc)
  [[ "$(. /usr/share/zsh/vendor-completions/_irqcost)" == *doctor* ]]'"""


@dataclass(frozen=True)
class Step:
    """What is tried, and the shell command that fails where it does not work."""

    name: str
    command: str


def use(version: str) -> Iterator[Step]:
    """The command as users install it, from any folder."""
    least = ("irqcost --version", "irqcost --help", "irqcost run --quick")
    yield Step("install what irqcost depends on", f"{_APT} {_NEW}/irqcost_*.deb")
    # Debian's Matplotlib depends on SciPy, and this on a compiler.
    yield Step("hide compilers that came with it", _HIDE)
    for command in least:
        yield Step(f"{command}, without what it recommends", f"cd /tmp && {command}")
    yield Step("its version", f'[ "$(irqcost --version)" = "irqcost {version}" ]')
    yield Step("begin anew", "apt-get -q -y purge irqcost")
    yield Step("install what it recommends", f"{_RECOMMENDS} {_NEW}/irqcost_*.deb")
    yield Step("hide the compilers again", _HIDE)
    yield Step("doctor", "cd /var && touch /root/before && irqcost doctor")
    yield Step("run --quick", "cd /tmp && irqcost run --quick")
    yield Step("its result is in the user's data", f"ls {_RESULTS}/*/*.json")
    yield Step("compare", f"cd / && irqcost compare {_RESULTS}")
    yield Step(
        "nothing was written to /usr",
        '[ -z "$(find /usr /etc -newer /root/before ! -type d -print | tee -a /dev/stderr)" ]',
    )
    yield Step("test needs a checkout", "irqcost test; [ $? = 2 ]")
    yield Step("an empty group", "getent group irqcost | grep ':$'")
    yield Step("tools to look with", f"{_APT} man-db bash-completion zsh python3-argcomplete")
    for page in ("1 irqcost", "1 irqcost-bench", "4 irqcost", "5 irqcost-results"):
        yield Step(
            f"man {page}",
            f"man --warnings {page} 2>&1 >/root/page | tee -a /root/page; "
            "grep -q 'SEE ALSO' /root/page && ! grep -q warning: /root/page",
        )
    yield Step("completion in bash", _BASH)
    yield Step("completion in zsh", _ZSH)


def upgrade() -> Iterator[Step]:
    """To a higher version, and away."""
    yield Step("upgrade", f"{_APT} {_NEWER}/irqcost_*.deb")
    yield Step("after the upgrade", f"irqcost doctor && ls {_RESULTS}/*/*.json")


def module(version: str, releases: Sequence[str]) -> Iterator[Step]:
    """DKMS, for kernels whose headers are there."""
    yield Step("show the compilers", _SHOW)
    # The headers are copied, without what their packages depend on.
    yield Step("what linux-kbuild depends on", f"{_APT} libelf1 libssl3 zlib1g pahole")
    yield Step("install irqcost-dkms", f"{_APT} {_NEW}/irqcost-dkms_*.deb gcc libc6-dev")
    for release in releases:
        built = f"/var/lib/dkms/irqcost/{version}/{release}/x86_64/module"
        yield Step(
            f"DKMS for {release}",
            f"dkms build irqcost/{version} -k {release} || "
            f"{{ cat /var/lib/dkms/irqcost/{version}/build/make.log; exit 1; }}; "
            f"modinfo {built}/irqcost.ko* && dkms status",
        )
    yield Step("upgrade of irqcost-dkms", f"{_APT} {_NEWER}/irqcost-dkms_*.deb && dkms status")


def away(names: str) -> Iterator[Step]:
    """Removed, purged, and what is left: users' results and what is not ours."""
    yield Step("remove", f"apt-get -q -y remove {names}")
    yield Step(
        "the commands and their folder are gone",
        "! ls -d /usr/bin/irqcost /usr/bin/irqcost-bench /usr/share/irqcost",
    )
    # apt no longer knows a removed package that left no configuration.
    yield Step("purge", f"dpkg --purge {names}")
    yield Step(
        "nothing is left",
        '[ -z "$(find / -xdev -name "*irqcost*" ! -path "/root/*" ! -path "/proc/*" '
        '! -path "/etc/apt/*" ! -path "/etc/dpkg/*" ! -path "/tmp/*" ! -path "/var/lib/apt/*" '
        '! -path "/var/cache/man/*" '
        '-print | tee -a /dev/stderr)" ] && ! getent group irqcost',
    )


def steps(args: argparse.Namespace, version: str, releases: Sequence[str]) -> Iterator[Step]:
    """All that is tried, in its order."""
    names = []
    if "irqcost" in args.only:
        names.append("irqcost")
        yield from use(version)
        yield from upgrade()
    if "dkms" in args.only:
        names.append("irqcost-dkms")
        yield from module(version, releases)
    yield from away(" ".join(names))
    if "irqcost" in args.only:
        yield Step("results stay", f"ls {_RESULTS}/*/*.json")


def newer(deb: Path, folder: Path) -> None:
    """The same package as one of a higher version."""
    folder.mkdir(exist_ok=True)
    tree = folder / deb.stem
    subprocess.run(["dpkg-deb", "--raw-extract", str(deb), str(tree)], check=True)
    control = tree / "DEBIAN" / "control"
    text = control.read_text(encoding="utf-8")
    control.write_text(
        text.replace(f"Version: {layout.version()}-1", f"Version: {layout.version()}-2")
    )
    name = deb.name.replace("-1_", "-2_")
    subprocess.run(
        ["dpkg-deb", "--build", str(tree), str(folder / name)],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    shutil.rmtree(tree)


def kernel_into(root: Path, name: str) -> str:
    """Copies an unpacked kernel's headers to where their package has them, the path of which is in
    their makefiles; returns its release."""
    kernel = find_kernel(name, lambda text: None)
    assert kernel.root is not None
    for part in ("usr/src", "usr/lib"):
        for entry in (kernel.root / part).glob("linux-*"):
            shutil.copytree(entry, root / part / entry.name, symlinks=True)
    for makefile in (root / "usr/src").glob("linux-headers-*/Makefile"):
        text = makefile.read_text(encoding="utf-8")
        makefile.write_text(text.replace(f"{kernel.root}/", "/"), encoding="utf-8")
    link = root / "usr/lib/modules" / kernel.release / "build"
    link.parent.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(f"/usr/src/{kernel.headers.name}")
    return kernel.release


def main() -> int:
    args = _parser().parse_args()
    failed = 0
    try:
        with platforms.folder(args.keep) as work:
            root = Root(work / args.suite, _LOGS / f"{args.suite}.log")
            archive = apt.find_archive(apt.machine_sources(), args.mirror)
            platforms.system(root, args.suite, archive, ["main"], args.cache)
            (new, new2) = (root.path / one.lstrip("/") for one in (_NEW, _NEWER))
            shutil.copytree(args.packages, new)
            for deb in args.packages.glob("*.deb"):
                newer(deb, new2)
            releases = [kernel_into(root.path, one) for one in args.kernels.split(",") if one]
            print("| step | outcome |\n|---|---|")
            for step in steps(args, layout.version(), releases):
                began = time.monotonic()
                code = root.enter(["sh", "-c", step.command])
                failed += code != 0
                said = f"ends with {code}" if code else "ok"
                print(f"| {step.name} | {said}, {time.monotonic() - began:.0f} s |", flush=True)
            print(f"\nLog: {root.log}")
    except IrqcostError as error:
        print(f"packages: {error}", file=sys.stderr)
        return error.code
    return 1 if failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="packages", description=__doc__)
    add = parser.add_argument
    add("suite", metavar="SUITE", nargs="?", default="bookworm")
    add("--packages", metavar="DIR", type=Path, default=_PACKAGES, help="as packaging/build made")
    add("--kernels", metavar="LIST", default="6.1,6.12", help="for DKMS, as of irqcost vm")
    add("--only", metavar="LIST", type=lambda text: text.split(","), default=["irqcost", "dkms"])
    add("--mirror", metavar="URL", help="the archive (default: that of this machine's apt sources)")
    add("--cache", metavar="DIR", type=Path, help="begin from the system there, or put it there")
    add("--keep", metavar="DIR", type=Path, help="install the system there, and let it stay")
    return parser


if __name__ == "__main__":
    sys.exit(main())
