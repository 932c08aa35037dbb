"""The command line as a user meets it."""

import fcntl
import re
import shlex
import signal
import socket
import struct
import subprocess
import sys
from pathlib import Path
from types import FunctionType, SimpleNamespace

import httpx
import numpy as np
import orjson
import pytest
from command_line import begin, environment, run, save_spectrum_image
from scipy.constants import elementary_charge

from daisy_bluesky.bench._table import TABLES
from daisy_bluesky.cli import main
from daisy_bluesky.specimen import VirtualSpecimen
from daisy_bluesky.storage import find_run, replay

DATA = Path(__file__).parents[2].parent / "shared" / "data"
SIZE, SEED = 32, 3
POINTS = round(0.2 * SIZE * SIZE)


@pytest.fixture(scope="module")
def demo(tmp_path_factory, worker_id):
    """A finished demonstration, small; test processes that run beside each other share it."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "demo"
    folder.mkdir(exist_ok=True)
    said = folder / "said.json"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not said.exists():
            done = run("demo", "--size", SIZE, "--seed", SEED, cwd=folder)
            said.write_bytes(orjson.dumps([done.returncode, done.stdout, done.stderr]))
    code, out, err = orjson.loads(said.read_bytes())
    assert code == 0, err
    journal = find_run(uid_in(out), folder / "daisy-data" / "journal")
    return SimpleNamespace(folder=folder, out=out, err=err, journal=journal, uid=journal.name)


@pytest.fixture
def command(monkeypatch, capsys):
    """Run a command within this process; return exit code, output and error output."""
    monkeypatch.setenv("COLUMNS", "100")

    def call(*arguments, cwd):
        monkeypatch.chdir(cwd)
        monkeypatch.setattr(sys, "argv", ["daisy-bluesky", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        said = capsys.readouterr()
        return end.value.code or 0, said.out, said.err

    return call


def uid_in(out):
    return re.search(r'\["raw"\]\["(.*)"\]', out)[1]


def row_of(table, heading):
    (line,) = [line for line in table.splitlines() if line.startswith(f" {heading}  ")]
    return line.removeprefix(f" {heading} ").split()


def measured(journal):
    streams, events, phase_map = {}, [], None
    for name, document in replay(journal):
        if name == "descriptor":
            streams[document["uid"]] = document["name"]
        elif name == "event" and streams[document["descriptor"]] == "primary":
            events.append(document["data"])
        elif name == "event" and streams[document["descriptor"]] == "result":
            phase_map = document["data"]["phase_map"]
    return events, np.asarray(phase_map)


def test_the_demo_prints_figures_that_the_stored_run_confirms(demo):
    events, phase_map = measured(demo.journal)
    specimen = VirtualSpecimen.demo((SIZE, SIZE), seed=SEED)
    assert len({(event["probe_row"], event["probe_column"]) for event in events}) == len(events) == POINTS
    wrong = (phase_map != specimen.labels)[~specimen.ill].mean()
    assert row_of(demo.out, "total distortion")[0] == f"{wrong:.4f}"
    electrons = sum(event["beam_charge"] for event in events) * 1e-12 / elementary_charge
    assert row_of(demo.out, "electrons")[0].startswith(f"{electrons:.1e}"[:3] + "×10")
    counts = np.mean([np.sum(event["eds_spectrum"]) for event in events])
    assert float(row_of(demo.out, "counts a spectrum")[0]) == pytest.approx(counts, rel=0.002)
    assert f"{POINTS}/{POINTS} points" in demo.out


def test_the_demo_sets_the_map_beside_fast_rasters(demo):
    for heading in ("raster, equal electrons:", "raster, equal time:"):
        assert any(line.startswith(heading) for line in demo.out.splitlines())
    for heading in ("decision latency, p50", "decision latency, p99", "events per second", "spectra in LBJ"):
        assert f" {heading} " in demo.out
    assert " ".join(demo.out.split()).count("the raster would have been better here") >= 2


def test_the_demo_says_nothing_but_what_it_has_to_say(demo):
    assert demo.err == ""
    assert "Tiled" not in demo.out
    assert "arning" not in demo.out


def test_the_report_is_a_large_picture(demo):
    header = (demo.folder / "report.png").read_bytes()[:24]
    assert header.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", header[16:24])
    assert width >= 1920
    assert height >= 1080


def test_the_printed_lines_open_the_run(demo):
    _, _, after = demo.out.partition("To open the run in IPython:\n")
    shell, *code = [line.strip() for line in after.splitlines() if line.startswith("    ")]
    setting, ipython = shlex.split(shell)
    assert Path(ipython) == Path(sys.executable).with_name("ipython")
    name, _, profiles = setting.partition("=")
    *code, last = code
    code += [f"print(len({last}['eds_spectrum']), run['result'].read()['phase_map'].shape)"]
    opened = subprocess.run(
        [sys.executable, "-c", "\n".join(code)],
        env=environment(**{name: profiles}),
        cwd=demo.folder,
        capture_output=True,
        text=True,
        timeout=170,
    )
    assert opened.returncode == 0, opened.stderr
    assert opened.stdout == f"{POINTS} (1, {SIZE}, {SIZE})\n"


def test_a_replay_from_tiled_decides_the_same(demo, command):
    code, out, err = command("replay", demo.uid[:8], cwd=demo.folder)
    assert (code, err) == (0, "")
    assert f"replaying run {demo.uid} from tiled" in out
    assert f"{POINTS} decisions compared" in out
    assert "every decision was the same" in out


def test_a_decision_that_was_altered_is_found(demo, command, tmp_path):
    folder = tmp_path / "daisy-data" / "journal" / demo.uid
    folder.mkdir(parents=True)
    altered = 0
    for path in demo.journal.glob("*.lbj"):
        (folder / path.name).write_bytes(path.read_bytes())
    with (folder / "documents.jsonl").open("wb") as file:
        for line in (demo.journal / "documents.jsonl").read_bytes().splitlines():
            kept = orjson.loads(line)
            data = kept.get("doc", {}).get("data", {})
            if data.get("visit") == 100:
                data["row"] += 1
                altered += 1
            file.write(orjson.dumps(kept) + b"\n")
    assert altered == 1
    code, out, _ = command("replay", "--journal", "-1", cwd=tmp_path)
    assert code == 1
    assert "1 decisions were different; the first: decision 100: row" in out


def test_the_catalog_is_served_to_those_with_the_key_only(demo):
    server = begin("serve", "--port", 0, cwd=demo.folder)
    lines = iter(server.stdout)
    address = next(lines).split(" at ")[1].split(",")[0]
    key = next(lines).split()[-1]
    assert address.startswith("http://127.0.0.1:")
    run_address = f"{address}/metadata/raw/{demo.uid}"
    assert httpx.get(run_address, timeout=60).status_code == 401
    answer = httpx.get(run_address, headers={"Authorization": f"Apikey {key}"}, timeout=60)
    assert answer.json()["data"]["attributes"]["metadata"]["start"]["uid"] == demo.uid
    server.send_signal(signal.SIGINT)
    out, err = server.communicate(timeout=60)
    assert (server.returncode, out, err) == (0, "stopped\n", "")


def test_a_recorded_spectrum_image_plays_the_specimen(demo, command, tmp_path, monkeypatch):
    monkeypatch.setenv("DAISY_DATA", str(demo.folder / "daisy-data"))
    save_spectrum_image(tmp_path / "grains.npz")
    code, out, err = command("demo", "--recorded", "grains.npz", "--fraction", "0.3", cwd=tmp_path)
    assert (code, err) == (0, "")
    events, phase_map = measured(find_run(uid_in(out), demo.journal.parent))
    assert len(events) == round(0.3 * 24 * 24)
    assert "24 x 24 pixels of grains.npz" in out
    assert float(row_of(out, "counts a spectrum")[0]) == pytest.approx(300, rel=0.03)  # of 600, in half of the dwell
    found = [np.bincount(half.ravel()).argmax() for half in (phase_map[:, :12], phase_map[:, 12:])]
    assert found[0] != found[1]
    assert (phase_map == np.repeat(found, 12)).mean() > 0.95
    assert (tmp_path / "report.png").stat().st_size > 10_000


@pytest.mark.data
@pytest.mark.skipif(not DATA.is_dir(), reason="the public measurements are not at ../shared/data")
def test_a_public_spectrum_image_plays_the_specimen(demo, command, tmp_path, monkeypatch):
    monkeypatch.setenv("DAISY_DATA", str(demo.folder / "daisy-data"))
    image = DATA / "eds_si_velox_16.npz"
    code, out, err = command("demo", "--recorded", image, "--report", "velox.png", cwd=tmp_path)
    assert (code, err) == (0, "")
    assert row_of(out, "events") == ["51"]
    assert row_of(out, "deviance a pixel")
    assert (tmp_path / "velox.png").exists()


@pytest.fixture
def refused(command, tmp_path):
    """Run a command that must end with one line and exit code 2, having written nothing; return the line."""

    def refuse(*arguments):
        before = contents(tmp_path)
        code, out, err = command(*arguments, cwd=tmp_path)
        assert (code, out) == (2, "")
        assert err.startswith("daisy-bluesky: ")
        assert err.count("\n") == 1
        assert contents(tmp_path) == before
        return err

    return refuse


def contents(folder):
    return {path: path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--fraction", "0"), "fraction: 0.0 is not in (0, 1]"),
        (("--fraction", "1.01"), "fraction: 1.01 is not in (0, 1]"),
        (("--fraction", "nan"), "fraction: nan"),
        (("--fraction", "half"), "--fraction: half is no number; give one\n"),
        (("--counts", "0"), "counts: 0 is out of range; give 1 to 1e+07\n"),
        (("--counts", "-7500"), "counts: -7500 is out of range"),
        (("--counts", "inf"), "counts: inf is out of range"),
        (("--counts", "nan"), "counts: nan is out of range"),
        (("--counts", "1e300"), "counts: 1e+300 is out of range"),
        (("--counts", "1e-5"), "counts: 1e-05 is out of range"),
        (("--size", "5"), "--size: 5 is too small; give at least 16\n"),
        (("--size", "5000"), "--size: 5000 is too large; give at most 4096\n"),
        (("--size", "many"), "--size: many is no whole number; give one\n"),
        (("--seed", "-1"), "--seed: -1 is too small; give at least 0\n"),
        (("--seed", "1.5"), "--seed: 1.5 is no whole number; give one\n"),
        (("--report", "/proc/report.png"), "report: /proc/report.png cannot be written"),
        (("--recorded", "."), "recorded: . is a folder"),
        (("--recorded", "a.npz", "--size", "64", "--counts", "9"), "--size and --counts: a recorded specimen"),
        (("--sed", "1"), "there is no option --sed; did you mean --seed?\n"),
        (("--report", "nowhere/report.png"), "nowhere"),
        (("--report", "report.docx"), "report.docx is no .png"),
        (("--recorded", "absent.npz"), "absent.npz: there is no such file"),
        (("--dose", "3"), "there is no option --dose; see daisy-bluesky demo --help\n"),
    ],
)
def test_a_bad_argument_of_the_demo_is_named(refused, arguments, named):
    assert named in refused("demo", *arguments)


def test_a_report_that_is_a_folder_is_named(refused, tmp_path):
    (tmp_path / "pictures.png").mkdir()
    assert "pictures.png is a folder" in refused("demo", "--report", "pictures.png")


def test_a_file_that_is_no_spectrum_image_is_named(refused, tmp_path):
    whole = save_spectrum_image(tmp_path / "whole.npz").read_bytes()
    (tmp_path / "truncated.npz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.npz").write_text("y, x, ch, n\n")
    (tmp_path / "picture.tif").write_bytes(b"II*\0")
    np.savez(tmp_path / "foreign.npz", frames=np.zeros((3, 3)))
    assert "truncated.npz: it is no .npz archive, or a truncated one" in refused("demo", "--recorded", "truncated.npz")
    assert "text.npz: it is no .npz archive" in refused("demo", "--recorded", "text.npz")
    assert "foreign.npz: it lacks y, x, ch" in refused("demo", "--recorded", "foreign.npz")
    assert "picture.tif: unknown format '.tif'" in refused("demo", "--recorded", "picture.tif")


def test_a_data_folder_that_cannot_be_written_is_named(refused, tmp_path, monkeypatch):
    save_spectrum_image(tmp_path / "grains.npz")
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DAISY_DATA", "file/data")
    assert "file/data: no catalog can be kept here" in refused("demo", "--recorded", "grains.npz")


def test_bad_settings_are_named(refused, tmp_path, monkeypatch):
    monkeypatch.setenv("DAISY_BEEM__CURRENT", "50")
    assert "DAISY_BEEM__CURRENT" in refused("demo")
    monkeypatch.delenv("DAISY_BEEM__CURRENT")
    (tmp_path / "daisy.toml").write_text("[beam]\ncurrent = 'high'\n")
    assert "beam.current" in refused("demo")
    (tmp_path / "daisy.toml").write_text("beam = 50\n")
    assert "setting beam: " in refused("serve")
    (tmp_path / "daisy.toml").write_text("[beam\n")
    assert "daisy.toml" in refused("replay", "-1")


def test_an_unknown_run_is_named(refused):
    assert "'0123abcd'" in refused("replay", "0123abcd")
    assert "there is no run -1" in refused("replay", "-1")


def test_an_unknown_command_or_table_is_named(refused):
    assert "'demonstrate'" in refused("demonstrate")
    named = f"no table is named 'tables'; known tables: {', '.join(TABLES)}\n"
    assert named in refused("bench", "tables")


def test_the_help_names_every_table(command, tmp_path):
    code, out, err = command("bench", "--help", cwd=tmp_path)
    assert (code, err) == (0, "")
    assert [name for name in TABLES if re.search(rf"[ ,]{name}[,.]", out) is None] == []


def test_a_host_that_is_not_this_machine_is_named(refused):
    assert "host: nonsense.invalid is no address of this machine" in refused("serve", "--host", "nonsense.invalid")


def test_without_a_command_the_help_is_shown_and_nothing_else(command, tmp_path):
    code, out, err = command(cwd=tmp_path)
    assert (code, err) == (0, "")
    assert "replay" in out
    assert "NoArgs" not in out


@pytest.mark.parametrize("presses", [1, 3])
def test_ctrl_c_while_the_classifier_is_trained_ends_at_once(tmp_path, presses):
    demo = begin("demo", "--size", 16, cwd=tmp_path)
    children = Path(f"/proc/{demo.pid}/task/{demo.pid}/children")
    while not (started := children.read_text().split()):
        assert demo.poll() is None
    for _ in range(presses):
        demo.send_signal(signal.SIGINT)
    out, err = demo.communicate(timeout=60)
    assert (demo.returncode, out, err) == (130, "", "daisy-bluesky: interrupted\n")
    for child in started:
        status = Path(f"/proc/{child}/status")
        assert not status.exists() or "State:\tZ" in status.read_text()


def test_only_faults_that_tiled_tells_are_told_in_one_line(command, tmp_path, monkeypatch):
    def fail(**_):
        raise RuntimeError("Refusing to serve it")

    def fail_in(module):
        return FunctionType(fail.__code__, {"__name__": module})

    monkeypatch.setattr("daisy_bluesky.bench.run_table", lambda *_, **__: fail_in("tiled.adapter")())
    assert command("bench", cwd=tmp_path) == (2, "", "daisy-bluesky: Refusing to serve it\n")
    monkeypatch.setattr("daisy_bluesky.bench.run_table", lambda *_, **__: fail_in("daisy_bluesky.bench")())
    monkeypatch.setattr(sys, "argv", ["daisy-bluesky", "bench"])
    with pytest.raises(RuntimeError):
        main()


def test_a_port_that_cannot_be_had_is_named(refused):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert f"127.0.0.1 port {port} (Address already in use)" in refused("serve", "--port", port)
    assert "--port: 65536 is too large; give at most 65535\n" in refused("serve", "--port", "65536")


def test_what_a_shell_sees_of_a_refusal_is_one_line_and_exit_code_2(tmp_path):
    done = run("demo", "--fraction", "20", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "daisy-bluesky: fraction: 20.0 is not in (0, 1]\n"
    assert not list(tmp_path.iterdir())


def test_the_version_is_told(tmp_path):
    done = run("--version", cwd=tmp_path)
    assert (done.returncode, done.stdout.count("."), done.stderr) == (0, 2, "")
    module = [sys.executable, "-m", "daisy_bluesky", "--version"]
    same = subprocess.run(module, cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=170)
    assert (same.returncode, same.stdout, same.stderr) == (0, done.stdout, "")
