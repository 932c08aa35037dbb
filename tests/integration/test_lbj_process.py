"""A writing process that is killed, or whose disk is full, leaves every item it had appended."""

import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from daisy_bluesky import lbj

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals and limits")


def run(program, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program), *map(str, arguments)], stdout=subprocess.PIPE, text=True
    )


def item(n):
    return np.random.default_rng(n).poisson(0.5, 512).astype(np.uint32)


def test_process_killed_while_it_appends(tmp_path):
    program = """
        import itertools, sys
        import numpy as np
        from daisy_bluesky import lbj
        writer = lbj.Writer(sys.argv[1], channels=512, append=True)
        for n in itertools.count(len(writer)):
            writer.append(n, np.random.default_rng(n).poisson(0.5, 512).astype(np.uint32))
            print(n, flush=True)
    """
    path = tmp_path / "killed.lbj"
    reported = -1
    for _ in range(3):
        with run(program, path) as process:
            for line in process.stdout:
                reported = int(line)
                if reported % 150 == 149:
                    process.send_signal(signal.SIGKILL)
                    break
            rest = process.stdout.read().split()
        reported = int(rest[-1]) if rest else reported
        assert process.returncode == -signal.SIGKILL
        with lbj.Reader(path) as reader:
            assert len(reader) >= reported + 1
            assert reader.seq_nums.tolist() == list(range(len(reader)))
            for n in range(len(reader)):
                np.testing.assert_array_equal(reader[n], item(n))


def test_full_disk_leaves_the_file_whole_and_writing_goes_on_when_there_is_room(tmp_path):
    program = """
        import resource, signal, sys
        import numpy as np
        from daisy_bluesky import lbj
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        writer = lbj.Writer(sys.argv[1], channels=512)
        make = lambda n: np.random.default_rng(n).poisson(0.5, 512).astype(np.uint32)
        writer.append(0, make(0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (writer.nbytes + 1000, hard))
        n = 1
        try:
            while True:
                writer.append(n, make(n))
                n += 1
        except OSError as error:
            print(n, error)
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        writer.append(n, make(n))
        writer.close()
    """
    path = tmp_path / "full.lbj"
    with run(program, path) as process:
        output = process.stdout.read()
    assert process.returncode == 0
    assert "large" in output
    failed = int(output.split()[0])
    assert failed > 1
    with lbj.Reader(path) as reader:
        assert reader.seq_nums.tolist() == list(range(failed + 1))
        np.testing.assert_array_equal(reader[:], np.stack([item(n) for n in range(failed + 1)]))
