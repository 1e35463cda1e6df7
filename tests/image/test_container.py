"""The container as an operator runs it: no root, read-only, its volumes, its health."""

import json

import pytest

from tests.containers import Engine

pytestmark = [pytest.mark.image, pytest.mark.xdist_group("image")]


def test_it_migrates_serves_and_stops_when_told(engine: Engine) -> None:
    data, backups = engine.volume("data"), engine.volume("backups")
    container = engine.run("-v", f"{data}:/data", "-v", f"{backups}:/backups")
    with engine.within():
        engine.wait_until_ready(container)
    assert "ProMan is running on" in engine.logs(container)
    assert engine.call("podman", "exec", container, "id", "-u").stdout.strip() == "10001"
    assert (data / "proman.sqlite").stat().st_uid == 10001
    assert (data / "secret.key").stat().st_mode & 0o777 == 0o600
    engine.call("podman", "exec", container, *_health_check(engine))
    doctor = engine.call("podman", "exec", container, "flask", "doctor")
    assert doctor.returncode == 0, doctor.stdout
    engine.call("podman", "stop", "--time", "10", container)
    code = engine.call("podman", "inspect", "-f", "{{.State.ExitCode}}", container)
    assert code.stdout.strip() == "0"
    assert not (data / "proman.sqlite-wal").exists()
    engine.call("podman", "start", container)
    with engine.within():
        engine.wait_until_ready(container)
    engine.call("podman", "rm", "--force", container)


def test_another_user_of_the_group_goes_on_with_the_volume(engine: Engine) -> None:
    data = engine.volume("shared")
    engine.call("chgrp", "0", str(data))
    engine.call("chmod", "0770", str(data))
    for user in ("10001:0", "1000650000:0"):
        done = engine.call(
            *("podman", "run", "--rm", "--network", f"ns:/run/netns/{engine.network}"),
            *("--user", user, "-v", f"{data}:/data", "proman:test"),
            *("sh", "-c", "flask db upgrade && flask database backup --to /data/copies"),
        )
        assert done.returncode == 0, done.stderr
    assert (data / "proman.sqlite").stat().st_mode & 0o777 == 0o660
    assert (data / "secret.key").stat().st_mode & 0o777 == 0o660


def _health_check(engine: Engine) -> list[str]:
    """The image's own HEALTHCHECK; podman runs it by systemd, which need not be here."""
    (image,) = json.loads(engine.call("podman", "image", "inspect", "proman:test").stdout)
    words: list[str] = image["Healthcheck"]["Test"]
    assert words[0] == "CMD"
    return words[1:]


@pytest.mark.parametrize("unwritable", ["/data", "/backups"])
def test_a_volume_that_cannot_be_written_is_answered_by_one_line(
    engine: Engine, unwritable: str
) -> None:
    words = []
    for mount in ("/data", "/backups"):
        owner = 0 if mount == unwritable else 10001
        folder = engine.volume(f"{unwritable[1:]}-{mount[1:]}", owner)
        words += ["-v", f"{folder}:{mount}"]
    container = engine.run(*words)
    code = engine.call("podman", "wait", container).stdout.strip()
    lines = engine.logs(container).strip().splitlines()
    engine.call("podman", "rm", "--force", container)
    assert code == "1"
    assert len(lines) == 1, lines
    assert f"cannot write to {unwritable}" in lines[0]
    assert "chown -R 10001" in lines[0]


def test_a_full_volume_is_answered_by_one_line(engine: Engine) -> None:
    data = engine.volume("full")
    engine.call("mount", "-t", "tmpfs", "-o", "size=64k,uid=10001,mode=700", "full", str(data))
    try:
        engine.call("dd", "if=/dev/zero", f"of={data}/all", "bs=4k", fails=True)
        container = engine.run("-v", f"{data}:/data")
        code = engine.call("podman", "wait", container).stdout.strip()
        said = engine.logs(container).strip()
        engine.call("podman", "rm", "--force", container)
        assert (code, said.splitlines()[1:]) == ("1", [])
        assert said.startswith("There is no room in /data")
        assert [one.name for one in data.iterdir()] == ["all"]
    finally:
        engine.call("umount", str(data))


def test_commands_run_without_serving(engine: Engine) -> None:
    data = engine.volume("commands")
    done = engine.call(
        *("podman", "run", "--rm", "--network", f"ns:/run/netns/{engine.network}"),
        *("-v", f"{data}:/data", "proman:test", "flask", "db", "upgrade"),
    )
    assert done.returncode == 0
    assert (data / "proman.sqlite").exists()
