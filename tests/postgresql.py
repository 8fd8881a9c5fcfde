"""A real PostgreSQL server for the tests that need one, with an empty database for each.

pytest-postgresql starts the server as the user of the tests, but PostgreSQL refuses to run as root, the usual
user in a container. So this module starts it by PostgreSQL's own commands, as another user if necessary.
"""

from __future__ import annotations

import glob
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.missing import skip_without

_PLACES = (
    "/usr/lib/postgresql/*/bin",  # Debian, Ubuntu
    "/usr/pgsql-*/bin",  # Red Hat
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
    "C:/Program Files/PostgreSQL/*/bin",
)
_SETTINGS = """
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
fsync = off
full_page_writes = off
synchronous_commit = off
shared_buffers = 16MB
"""
#: A script that stops the server when its standard input ends, that is when the test process ends in any way.
_KEEPER = """
import shutil, subprocess, sys
sys.stdin.read()
subprocess.run([sys.argv[1], "stop", "-D", sys.argv[2], "-m", "immediate"], cwd=sys.argv[2], {user})
shutil.rmtree(sys.argv[3], ignore_errors=True)
"""


class Server:
    """A PostgreSQL server on a free port of this machine, with data in a folder of its own.

    The server stops, and the folder is removed, on ``close`` or when this process ends, even if it is killed.

    Args:
        programs: the folder with ``initdb`` and ``pg_ctl``.
    """

    def __init__(self, programs: Path) -> None:
        self.programs = programs
        self._user = _user()
        self._password = secrets.token_hex(8)
        self._numbers = count(1)
        self._folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
        self._data = self._folder / "data"
        self._data.mkdir(mode=0o700)
        password = self._folder / "password"
        password.write_text(self._password, encoding="utf-8")
        if self._user:
            for path in (self._folder, self._data, password):
                shutil.chown(path, self._user, self._group)
        keeper = [sys.executable, "-c", _KEEPER.format(user=f"**{self._as_user!r}")]
        self._keeper = subprocess.Popen(
            [*keeper, self._program("pg_ctl"), str(self._data), str(self._folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # protect it from Ctrl-C
        )
        try:
            account = ["--username=tester", f"--pwfile={password}", "--auth=scram-sha-256"]
            self._run("initdb", *account, "--encoding=UTF8", "--no-locale", "--no-sync")
            with socket.create_server(("127.0.0.1", 0)) as free:
                self._port = free.getsockname()[1]
            with (self._data / "postgresql.conf").open("a", encoding="utf-8") as settings:
                settings.write(_SETTINGS.format(port=self._port))
            self.start()
        except BaseException:
            self.close()
            raise

    def start(self) -> None:
        """Start the server; wait until it accepts connections."""
        self._run("pg_ctl", "start", "--wait", "--silent", f"--log={self._folder / 'log'}")

    def stop(self) -> None:
        """Stop the server at once and cut its connections; its data stay for ``start``."""
        self._run("pg_ctl", "stop", "--wait", "--silent", "--mode=fast")

    def close(self) -> None:
        """Stop the server for good and remove its data."""
        self._keeper.communicate()

    def url(self, database: str) -> str:
        """Return the SQLAlchemy URL of a database."""
        return f"postgresql+psycopg://tester:{self._password}@127.0.0.1:{self._port}/{database}"

    def create(self, name: str = "library") -> str:
        """Create an empty database and return its SQLAlchemy URL.

        Args:
            name: the beginning of the database's name; a number follows.
        """
        import psycopg

        database = f"{name}_{next(self._numbers)}"
        with psycopg.connect(self.url("postgres").replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(database)))
        return self.url(database)

    def dump(self, url: str) -> str:
        """Return the database as SQL that a driver can execute, every row as an ``INSERT``."""
        dump = subprocess.run(
            [self._program("pg_dump"), "--inserts", "--no-owner", "--no-privileges",
             url.replace("+psycopg", "")],
            check=True, capture_output=True, encoding="utf-8",
        ).stdout  # fmt: skip
        return re.sub(r"^\\.*\n", "", dump, flags=re.MULTILINE)  # commands that only psql understands

    @property
    def _group(self) -> str | None:
        if not self._user:
            return None
        import grp
        import pwd

        return grp.getgrgid(pwd.getpwnam(self._user).pw_gid).gr_name

    @property
    def _as_user(self) -> dict[str, Any]:
        return {"user": self._user, "group": self._group, "extra_groups": []} if self._user else {}

    def _program(self, name: str) -> str:
        return str(self.programs / name)

    def _run(self, program: str, *arguments: str) -> None:
        # Into a file: the server would inherit a pipe and keep it open.
        with (self._folder / "output").open("w+b") as output:
            done = subprocess.run(
                [self._program(program), "-D", str(self._data), *arguments],
                cwd=self._data, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                env=os.environ | {"LC_ALL": "C"}, check=False, **self._as_user,
            )  # fmt: skip
            output.seek(0)
            written = output.read().decode(errors="replace")
        log = self._folder / "log"
        if done.returncode:
            logged = log.read_text(errors="replace") if log.is_file() else ""
            raise RuntimeError(f"{program} ended with {done.returncode}: {written}\n{logged}")


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[Server]:
    """Yield the PostgreSQL server of this worker."""
    try:
        import psycopg  # noqa: F401 - availability check
    except ImportError as error:
        skip_without(f"psycopg, PostgreSQL's driver, is missing ({error})", "pip install 'psycopg[binary]'")
    programs = find_programs()
    if programs is None:
        skip_without(
            "PostgreSQL's initdb is neither on the PATH nor in its usual places",
            "apt install postgresql, brew install postgresql@17, or the installer of postgresql.org",
        )
    server = Server(programs)
    try:
        yield server
    finally:
        server.close()


@pytest.fixture
def postgresql_url(postgresql_server: Server) -> Callable[..., str]:
    """Return a function that creates an empty database and returns its SQLAlchemy URL."""
    return postgresql_server.create


def find_programs() -> Path | None:
    """Return the folder with the newest ``initdb`` and ``pg_ctl``; ``None`` if there is none."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    places = [Path(place) for pattern in _PLACES for place in glob.glob(pattern)]  # noqa: PTH207 - from the root
    usable = [place for place in places if shutil.which("initdb", path=place)]
    return max(usable, key=lambda place: [int(part) for part in re.findall(r"\d+", str(place))], default=None)


def _user() -> str | None:
    """Return the user to run the server as; ``None`` for the current user."""
    if sys.platform == "win32" or os.geteuid() != 0:
        return None
    import pwd

    known = {user.pw_name for user in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"
