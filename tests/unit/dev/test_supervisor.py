"""Several programs run as one: what one says is seen, what ends is started again or ends all, and nothing is left behind."""

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from app.dev.errors import DevError
from app.dev.supervisor import ENDINGS, StopAsked, Supervisor

ROOT = Path(__file__).parents[3]
SLEEPER = (sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)")
STUBBORN = (
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)",
)
# Starts a grandchild in another process group, as a queue worker does for each job, and one in another session.
PARENT = (
    sys.executable,
    "-c",
    "import subprocess, sys, time\n"
    "a = subprocess.Popen(['sleep', '60'], process_group=0)\n"
    "b = subprocess.Popen(['sleep', '60'], start_new_session=True)\n"
    "print(a.pid, b.pid, flush=True); time.sleep(60)",
)


def _python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


def _gone(*pids: int) -> bool:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        if not any(psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE for pid in pids):
            return True
        time.sleep(0.02)
    return False


@pytest.fixture
def out():
    return io.BytesIO()


@pytest.fixture
def make(out):
    return lambda grace_s=10: Supervisor(environ={"PATH": os.environ["PATH"]}, out=out, grace_s=grace_s)


def test_each_line_carries_the_name_of_the_program_that_said_it(make, out):
    with make() as supervisor:
        supervisor.run("a", _python("import sys; print('one'); print('two', file=sys.stderr, flush=True)"))
        supervisor.run("scheduler", _python("print('half a line', end='')"))
    assert sorted(out.getvalue().decode().splitlines()) == [
        "a         | one",
        "a         | two",
        "scheduler | half a line",
    ]


def test_run_returns_what_the_program_said(make):
    with make() as supervisor:
        assert supervisor.run("seed", _python("print('ada@example.com\\nvic@example.com')")) == [
            "ada@example.com",
            "vic@example.com",
        ]


def test_a_step_that_fails_is_named_with_its_last_words(make):
    with make() as supervisor, pytest.raises(DevError) as caught:
        supervisor.run("migrate", _python("print('table a is missing'); raise SystemExit(3)"))
    assert str(caught.value) == "migrate failed (exit code 3); its last lines:\ntable a is missing"


def test_a_program_that_ends_by_itself_stops_the_others_and_is_named(make):
    with make() as supervisor:
        other = supervisor.start("web", SLEEPER)
        supervisor.start("worker", _python("print('the queue is gone'); raise SystemExit(0)"))
        with pytest.raises(DevError) as caught:
            supervisor.forever()
    assert str(caught.value) == (
        "worker stopped by itself (exit code 0), so everything stops; its last lines:\nthe queue is gone"
    )
    assert other.process.returncode == -signal.SIGTERM


def test_a_killed_program_is_named_with_the_signal(make):
    with make() as supervisor:
        child = supervisor.start("web", SLEEPER)
        supervisor.until(lambda: list(child.said) == ["up"])
        child.process.kill()
        with pytest.raises(DevError) as caught:
            supervisor.forever()
    assert str(caught.value) == ("web stopped by itself (signal 9 (SIGKILL)), so everything stops; its last lines:\nup")


def test_a_server_that_ends_is_named_with_the_end_of_its_log(make):
    server = subprocess.Popen(["false"])
    with make() as supervisor:
        supervisor.watch("postgres", server, lambda: "no space left on device")
        with pytest.raises(DevError) as caught:
            supervisor.forever()
    assert str(caught.value) == (
        "postgres stopped by itself (exit code 1), so everything stops; its last lines:\nno space left on device"
    )


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_everything(make, signum):
    with make() as supervisor:
        child = supervisor.start("web", SLEEPER)
        supervisor.until(lambda: bool(child.said))
        os.kill(os.getpid(), signum)
        with pytest.raises(StopAsked):
            supervisor.forever()
    assert child.process.returncode == -signal.SIGTERM


def test_a_program_gets_time_to_flush(make, tmp_path):
    code = (
        "import signal, sys, time\n"
        f"def end(*_): time.sleep(0.5); open({str(tmp_path / 'flushed')!r}, 'w').close(); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end); print('up', flush=True); time.sleep(60)"
    )
    with make() as supervisor:
        child = supervisor.start("web", _python(code))
        supervisor.until(lambda: bool(child.said))
    assert (child.process.returncode, (tmp_path / "flushed").exists()) == (0, True)


def test_a_program_that_does_not_stop_is_killed_after_the_grace(make, out):
    with make(grace_s=0.3) as supervisor:
        child = supervisor.start("web", STUBBORN)
        supervisor.until(lambda: bool(child.said))
    assert child.process.returncode == -signal.SIGKILL
    assert out.getvalue().decode().splitlines()[-1] == "web did not stop by itself and is killed"


def test_asking_a_second_time_does_not_wait_for_the_grace(make):
    begun = time.monotonic()
    with make(grace_s=30) as supervisor:
        child = supervisor.start("web", STUBBORN)
        supervisor.until(lambda: bool(child.said))
        signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGINT))
        signal.setitimer(signal.ITIMER_REAL, 0.3)
    assert (child.process.returncode, time.monotonic() - begun < 10) == (-signal.SIGKILL, True)


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_grandchildren_in_other_groups_and_sessions_are_gone(make, end):
    with make() as supervisor:
        child = supervisor.start("worker", PARENT)
        supervisor.until(lambda: bool(child.said))
        grandchildren = [int(word) for word in child.said[0].split()]
        child.process.send_signal(end)
        with pytest.raises(DevError):
            supervisor.forever()
    assert _gone(*grandchildren)


def test_killing_the_supervisor_ends_its_programs():
    script = (
        "import os, sys\nfrom app.dev.supervisor import Supervisor\n"
        "with Supervisor(environ=dict(os.environ)) as s:\n"
        "    c = s.start('web', ('sleep', '60')); print(c.process.pid, flush=True); s.forever()"
    )
    run = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert run.stdout is not None
    child = int(run.stdout.readline())
    run.kill()
    run.wait()
    assert _gone(child)


def test_the_signal_handlers_of_before_are_back(make):
    before = [signal.getsignal(signum) for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)]
    with make():
        pass
    after = [signal.getsignal(signum) for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)]
    assert after == before


def test_what_was_up_is_started_again_when_it_ends(make, out, monkeypatch):
    monkeypatch.setattr("app.dev.supervisor.AGAIN_S", 0.05)
    with make() as supervisor:
        other = supervisor.start("web", SLEEPER, again=True)
        child = supervisor.start("worker", PARENT, again=True)
        supervisor.until(lambda: bool(child.said) and list(other.said) == ["up"])
        first, left = child.process.pid, [int(pid) for pid in child.said[0].split()]
        supervisor.until(lambda: bool(child.said))
        child.process.kill()

        def again() -> bool:
            if len(child.said) == 2:
                os.kill(os.getpid(), signal.SIGTERM)
            return False

        monkeypatch.setattr(supervisor, "until", lambda _, until=supervisor.until: until(again, every_s=0.02))
        with pytest.raises(StopAsked):
            supervisor.forever()
        assert child.process.pid != first
        assert _gone(*left)  # what the first one had started does not stand in the way of the second
        assert list(other.said) == ["up"]
    assert "worker stopped by itself (signal 9 (SIGKILL)) and is started again" in out.getvalue().decode().splitlines()


def test_what_does_not_stay_up_stops_everything(make, out, monkeypatch):
    monkeypatch.setattr("app.dev.supervisor.AGAIN_S", 0.001)
    with make() as supervisor:
        supervisor.start("worker", _python("print('no settings'); raise SystemExit(2)"), again=True)
        with pytest.raises(DevError) as caught:
            supervisor.forever()
    assert str(caught.value).startswith(
        "worker stopped by itself (exit code 2), so everything stops; its last lines:\n"
    )
    assert out.getvalue().decode().count("is started again") == ENDINGS


def test_what_ends_while_all_is_being_started_is_not_started_again(make):
    with make() as supervisor:
        supervisor.start("worker", _python("raise SystemExit(2)"), again=True)
        with pytest.raises(DevError):
            supervisor.until(lambda: False, seconds=30)


def test_a_server_is_started_again_by_whoever_started_it(make, monkeypatch):
    started = []

    def launch() -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen(["true"] if not started else ["sleep", "60"]))
        return started[-1]

    with make() as supervisor:
        supervisor.watch("valkey", launch(), lambda: "", again=launch)
        monkeypatch.setattr(
            supervisor, "until", lambda _, until=supervisor.until: until(lambda: len(started) == 2, every_s=0.02)
        )
        supervisor.forever()
    started[-1].kill()
    started[-1].wait()
