"""What `subprocess` means, and which of the programs that it may start end by themselves."""

from __future__ import annotations

from conclint.catalog.rows import CallRow, ClassRow, Domain, Effect, Kind, Role, Timeout

CLASSES: tuple[ClassRow, ...] = (
    ClassRow(names=("subprocess.Popen",), kind=Kind.POPEN, domain=Domain.PROCESS),
    ClassRow(names=("subprocess.CompletedProcess",), kind=Kind.OTHER),
)

_EXEC = "asyncio.create_subprocess_exec"
_SHELL = "asyncio.create_subprocess_shell"
_RUN = "subprocess.run"
_ANY = Timeout()
_NONE = Timeout(keyword="")

CALLS: tuple[CallRow, ...] = (
    CallRow(
        names=("subprocess.run",),
        effects=Effect.SUBPROCESS,
        timeout=_ANY,
        returns="subprocess.CompletedProcess",
        keeps=False,
        twin=_EXEC,
    ),
    CallRow(names=("subprocess.call",), effects=Effect.SUBPROCESS, timeout=_ANY, keeps=False, twin=_EXEC),
    # Its signature is (*popenargs, **kwargs), and it hands `timeout` on to `call`.
    CallRow(names=("subprocess.check_call",), effects=Effect.SUBPROCESS, timeout=_ANY, keeps=False, twin=_EXEC),
    CallRow(names=("subprocess.check_output",), effects=Effect.SUBPROCESS, timeout=_ANY, keeps=False, twin=_EXEC),
    CallRow(
        names=("subprocess.getoutput",),
        effects=Effect.SUBPROCESS,
        timeout=_NONE,
        keeps=False,
        twin=_SHELL,
        bounded=_RUN,
    ),
    CallRow(
        names=("subprocess.getstatusoutput",),
        effects=Effect.SUBPROCESS,
        timeout=_NONE,
        keeps=False,
        twin=_SHELL,
        bounded=_RUN,
    ),
    CallRow(names=("subprocess.Popen",), effects=Effect.SUBPROCESS, twin=_EXEC),
    CallRow(
        names=("subprocess.Popen.wait",),
        effects=Effect.SUBPROCESS | Effect.WAIT,
        timeout=Timeout(position=0),
        role=Role.JOIN,
    ),
    CallRow(
        names=("subprocess.Popen.communicate",),
        effects=Effect.SUBPROCESS | Effect.WAIT,
        timeout=Timeout(position=1),
        role=Role.JOIN,
    ),
    CallRow(
        names=("subprocess.Popen.__exit__",),
        effects=Effect.SUBPROCESS | Effect.WAIT,
        timeout=_NONE,
        role=Role.CLOSE,
    ),
    CallRow(names=("subprocess.Popen.poll",), role=Role.RESULT),
    CallRow(names=("subprocess.Popen.terminate",), role=Role.CANCEL),
    CallRow(names=("subprocess.Popen.kill",), role=Role.CANCEL),
    CallRow(names=("subprocess.Popen.send_signal",), role=Role.CANCEL),
)

BRIEF_PROGRAMS: tuple[str, ...] = tuple(
    " ".join(
        """
        arch; basename; cat; cksum; cut; date; dirname; dpkg -l; dpkg -s; dpkg --print-architecture; dpkg-query;
        echo; entstat; expr; false; file; flatpak info; flatpak list; free; getconf; git branch; git cat-file;
        git check-ignore; git config; git describe; git diff; git hash-object; git log; git ls-files; git merge-
        base; git name-rev; git remote -v; git remote get-url; git rev-list; git rev-parse; git show; git show-ref;
        git status; git symbolic-ref; git tag; grep; head; hg root; hostnamectl; ifconfig; ip; ipconfig; kill;
        kldstat; localectl; loginctl list-sessions; loginctl show-session; loginctl show-user; ls; lsb_release;
        lsblk; lscpu; lsmod; lsof -n; lspci; lsusb; machinectl show; md5sum; mkdir; netstat -n; nproc; pfctl; pgrep;
        pidof; pkill; printf; ps; pwd; readlink; realpath; rpm --eval; scutil; sha256sum; sockstat; ss; stat; stty;
        sw_vers; sysctl; systemctl cat; systemctl get-default; systemctl is-active; systemctl is-enabled;
        systemctl is-failed; systemctl list-unit-files; systemctl list-units; systemctl show; systemctl status;
        systemd-detect-virt; systemd-notify; taskkill; tasklist; timedatectl; touch; tput; tr; true; tty; uname;
        uptime; vm_stat; wc; where; which; whoami; xcode-select; zonename
        """.split()
    ).split("; ")
)
"""Programs that ask, or tell, the machine on which they run, and end at once: no network, no other host, no question.

A program, with what has to follow it: its subcommand, and options that it must have (`netstat` looks hosts up without
`-n`). What is not listed may take any time.
"""

LASTING_PROGRAMS: tuple[str, ...] = tuple(
    " ".join(
        """
        apk; apt; apt-get; brew; c++; cargo; cc; clang; cmake; conda; dism; dnf; g++; gcc; go build; gradle; javac;
        make; mamba; meson; msiexec; mvn; ninja; nox; npm; pacman; pip; pip3; pnpm; pytest; rustc; tox; uv; wusa;
        yarn; yum; zypper
        """.split()
    ).split("; ")
)
"""Programs that install or build: they take as long as the work does, and no time is too long for all of them."""

PREFIX_PROGRAMS: dict[str, frozenset[str]] = {
    "doas": frozenset({"-C", "-u"}),
    "env": frozenset({"-C", "-u"}),
    "ionice": frozenset({"-c", "-n"}),
    "nice": frozenset({"-n"}),
    "nohup": frozenset(),
    "setsid": frozenset(),
    "stdbuf": frozenset({"-e", "-i", "-o"}),
    "sudo": frozenset({"-C", "-g", "-h", "-p", "-u"}),
}
"""Programs that run the one that follows, with those of their options that another word belongs to."""
