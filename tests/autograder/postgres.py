"""A real PostgreSQL of one's own: on a socket in a temporary folder, gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

USER, PASSWORD = "grader", "s3cr:t@p/ss"
# Debian keeps the server's programs off PATH, one folder a version.
PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))


def missing() -> str:
    """Why there can be no server here; empty when there can."""
    if not (shutil.which("initdb") or PROGRAMS):
        return "PostgreSQL's server is not installed (Debian: apt-get install postgresql)"
    if os.geteuid() == 0 and not shutil.which("setpriv"):
        return "PostgreSQL refuses to run as root, and there is no setpriv to run it as another"
    return ""


@dataclass
class Server:
    """A running server.

    Attributes:
        room: the folder with its data, its log and its socket.
    """

    room: Path

    @classmethod
    def make(cls) -> Server:
        """A fresh server; root runs it as ``postgres`` or ``nobody``."""
        # The path of a socket may have 107 characters: a folder of pytest's is too deep.
        server = cls(Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp")))
        secret = server.room / "password"
        secret.write_text(PASSWORD)
        if os.geteuid() == 0:
            owner = cls.owner()
            for path in (server.room, secret):
                os.chown(path, owner.pw_uid, owner.pw_gid)
        server.room.chmod(0o755)
        options = [f"--username={USER}", "--auth=scram-sha-256", f"--pwfile={secret}"]
        server.run("initdb", *options, "--encoding=UTF8", "--no-locale", "--no-sync")
        server.start()
        return server

    @staticmethod
    def owner() -> pwd.struct_passwd:
        for name in ("postgres", "nobody"):
            try:
                return pwd.getpwnam(name)
            except KeyError:
                continue
        raise LookupError("no user but root")

    def run(self, program: str, *arguments: str) -> None:
        """One of PostgreSQL's programs, on this server's data."""
        path = shutil.which(program) or str(PROGRAMS[-1] / program)
        command = [path, "--pgdata", str(self.room / "data"), *arguments]
        if os.geteuid() == 0:
            owner = self.owner()
            who = [f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups"]
            command = ["setpriv", *who, *command]
        done = subprocess.run(command, cwd=self.room, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self) -> None:
        options = f"-k {self.room} -c listen_addresses='' -c fsync=off"
        self.run("pg_ctl", "start", "--wait", "--log", str(self.room / "log"), "--options", options)

    def stop(self) -> None:
        self.run("pg_ctl", "stop", "--wait", "--mode=immediate")

    def url(self, database: str = "postgres", password: str = PASSWORD) -> str:
        """The address of a database, as ``CourseDirectory.db_url`` takes it."""
        secret = quote(password, safe="")
        return f"postgresql+psycopg://{USER}:{secret}@/{database}?host={self.room}"

    def create(self, database: str) -> str:
        """A new, empty database; its address."""
        import psycopg

        where = f"host={self.room} user={USER} password='{PASSWORD}' dbname=postgres"
        with psycopg.connect(where, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{database}"')
        return self.url(database)

    def remove(self) -> None:
        """Stop it and leave nothing."""
        if (self.room / "data" / "postmaster.pid").is_file():
            self.stop()
        shutil.rmtree(self.room)
