"""The `staymesh` command as a person meets it: two small parts, every verb, clear refusals."""

import asyncio
import os
import smtplib
import socket
import subprocess
import sys
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import psutil
import pytest
import redis

from stack import state
from tests.stack_fixture import PORTS_IN_A_BLOCK, free_ports

TOKEN = "abc-123"


class Machine:
    """A data folder of its own, and the command run on it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.base = free_ports()
        self._env = os.environ | {
            "STAYMESH_HOME": str(home),
            "STAYMESH_PORT_BASE": str(self.base),
            "STAYMESH_EDGE_PORT": str(self.base + PORTS_IN_A_BLOCK - 1),
            "COLUMNS": "200",
        }

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        argv = [sys.executable, "-m", "stack", *arguments]
        return subprocess.run(
            argv, env=self._env, capture_output=True, text=True, timeout=100, check=False
        )

    def say(self, *arguments: str) -> str:
        """Run the command, which must succeed, and return what it says."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    def refuse(self, *arguments: str) -> str:
        """Run the command, which must fail with a reason and a next step, and return them."""
        done = self.run(*arguments)
        assert done.returncode == 1, done.stdout
        assert "Traceback" not in done.stderr
        lines = done.stderr.splitlines()
        assert len(lines) <= 2, lines
        return done.stderr


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path / "home")
    yield made
    made.run("down")


def test_a_stack_in_the_background_is_seen_read_and_stopped(machine: Machine) -> None:
    assert "Staymesh is up" in machine.say("up", "--detach", "--only", "valkey,mail")
    shown = machine.say("status")
    assert shown.count("well") == 2
    assert "Ready to accept connections" in machine.say("logs", "valkey")
    with redis.Redis(port=machine.base + 1) as client:
        client.set("kept", "yes")
        client.execute_command("WAITAOF", 1, 0, 5000)
    _send_mail(machine.base + 6)
    assert "Confirm your address" in machine.say("mail", "a@example.com")
    assert machine.say("mail", "a@example.com", "--token").strip() == TOKEN
    assert "already running" in machine.refuse("up", "--only", "mail")

    status = state.read(machine.home)
    assert status is not None
    family = [psutil.Process(part.pid) for part in status.parts.values() if part.pid]
    assert "all stopped" in machine.say("down")
    assert len(family) == 2
    assert not any(process.is_running() for process in family)

    machine.say("up", "--detach", "--only", "valkey")
    with redis.Redis(port=machine.base + 1) as client:
        assert client.get("kept") == b"yes"


def test_a_killed_supervisor_takes_its_parts_along_and_the_next_start_works(
    machine: Machine,
) -> None:
    machine.say("up", "--detach", "--only", "valkey")
    holder = state.holder(machine.home)
    assert holder is not None
    psutil.Process(holder).kill()
    assert "Staymesh is up" in machine.say("up", "--detach", "--only", "valkey")


@pytest.mark.parametrize("detach", [True, False])
def test_a_taken_port_is_one_clear_line(machine: Machine, detach: bool) -> None:
    with socket.create_server(("127.0.0.1", machine.base + 1)):
        said = machine.refuse("up", "--only", "valkey", *(["--detach"] if detach else []))
    assert f"port {machine.base + 1}, wanted by valkey, is taken by" in said
    assert "--port-base" in said


def test_without_a_stack_each_verb_says_so(machine: Machine) -> None:
    assert "nothing is running" in machine.say("down")
    assert "nothing is running" in machine.run("status").stdout
    assert "start the stack" in machine.refuse("logs")
    assert "no mail" in machine.refuse("mail")
    assert "no stack is running" in machine.refuse("world")


def test_an_unknown_part_and_a_port_that_is_none_are_clear_lines(machine: Machine) -> None:
    assert "no part named mysql" in machine.refuse("up", "--only", "mysql")
    assert "leaves no room" in machine.refuse("up", "--port-base", "80")


def test_a_folder_that_cannot_be_written_is_a_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said = Machine(tmp_path / "file" / "home").refuse("up", "--only", "valkey")
    assert "Not a directory" in said


async def test_ctrl_c_stops_a_stack_in_the_foreground_cleanly(machine: Machine) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "stack", "up", "--only", "valkey", "--home", str(machine.home)),
        *("--port-base", str(machine.base)),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    said = ""
    while "Ctrl-C stops it." not in said:
        line = await process.stdout.readline()
        assert line, said
        said += line.decode()
    process.send_signal(2)
    said += (await process.communicate())[0].decode()
    assert process.returncode == 0
    assert "All stopped; the data are kept." in said


def _send_mail(port: int) -> None:
    message = EmailMessage()
    message["From"], message["To"] = "hello@staymesh.example", "a@example.com"
    message["Subject"] = "Confirm your address"
    message.set_content(f"Open http://127.0.0.1/verify?token={TOKEN} to confirm.")
    with smtplib.SMTP("127.0.0.1", port) as client:
        client.send_message(message)
