"""Programs started as copies of the supervisor behave as if they had been started afresh."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[3]

RUN = """
import os, sys
from pathlib import Path
from app.dev.errors import DevError
from app.dev.folders import Lock
from app.dev.supervisor import StopAsked, Supervisor
lock = Lock(Path(sys.argv[1]))
environ = {"PATH": os.environ["PATH"], "GIVEN": "yes"}
with Supervisor(environ=environ, private=[lock.fileno()], grace_s=5) as supervisor:
    supervisor.start("program", (sys.executable, *sys.argv[2:]), fork=True)
    try:
        supervisor.forever()
    except DevError as error:
        supervisor.say(str(error).splitlines()[0])
    except StopAsked:
        supervisor.say("asked")
"""


@pytest.fixture
def supervise(tmp_path):
    """Run a script as the only program of a supervisor."""
    running = []

    def supervise(code):
        script = tmp_path / "program.py"
        script.write_text(code)
        command = [sys.executable, "-c", RUN, str(tmp_path), str(script), "--flag"]
        environ = {"PATH": os.environ["PATH"], "SECRET": "x", "PYTHONPATH": str(ROOT)}
        running.append(subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True))
        return running[-1]

    yield supervise
    for process in running:
        process.kill()
        process.wait()


def _lines(process):
    return process.communicate(timeout=20)[0].splitlines()


def test_it_has_its_own_arguments_environment_session_and_name(supervise):
    code = "import os, sys\nprint(sys.argv[1:], __name__, dict(os.environ) == {'PATH': os.environ['PATH'], 'GIVEN': 'yes'})\n"
    code += "print(os.getsid(0) == os.getpid(), open('/proc/self/comm').read().strip())"
    assert _lines(supervise(code)) == [
        "program   | ['--flag'] __main__ True",
        "program   | True dramac-program",
        "program stopped by itself (exit code 0), so everything stops; its last lines:",
    ]


@pytest.mark.parametrize(
    ("code", "ended"),
    [
        ("raise SystemExit(4)", "exit code 4"),
        ("raise SystemExit('not today')", "exit code 1"),
        ("1 / 0", "exit code 1"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "signal 9 (SIGKILL)"),
    ],
)
def test_its_end_is_told_as_of_any_program(supervise, code, ended):
    told = _lines(supervise(code))[-1]
    assert told.split(";")[0] == f"program stopped by itself ({ended}), so everything stops"


def test_it_keeps_its_promises_at_the_exit_and_none_of_the_supervisors(supervise):
    code = "import atexit, threading, time\natexit.register(print, 'at exit')\n"
    code += "threading.Thread(target=lambda: (time.sleep(0.2), print('thread done'))).start()"
    assert _lines(supervise(code))[:2] == ["program   | thread done", "program   | at exit"]


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_when_the_supervisor_is_asked_to(supervise, signum):
    process = supervise("import time; print('up', flush=True); time.sleep(60)")
    assert process.stdout.readline() == "program   | up\n"
    process.send_signal(signum)
    assert (_lines(process), process.returncode) == (["asked"], 0)


def test_killing_the_supervisor_ends_it_and_frees_the_lock(supervise):
    process = supervise("import os, time; print(os.getpid(), flush=True); time.sleep(60)")
    pid = int(process.stdout.readline().split("|")[1])
    process.kill()
    process.wait()
    deadline = time.monotonic() + 5
    while psutil.pid_exists(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not psutil.pid_exists(pid)
    assert _lines(supervise("print('again')"))[0] == "program   | again"
