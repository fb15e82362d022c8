"""What root opens for the account that runs the embedded server, and what stays closed."""

import stat

from config.embedded import account


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_parents_may_be_passed_through_but_not_listed(tmp_path):
    private = tmp_path / "private"
    data = private / "home" / "postgres"
    data.mkdir(parents=True)
    for folder in (data, data.parent, private):
        folder.chmod(0o700)

    opened = account.open_passage([data])

    assert {private, data.parent} <= set(opened)
    assert mode(private) == mode(data.parent) == 0o701
    assert mode(data) == 0o700
    assert account.open_passage([data]) == []


def test_programs_installed_under_a_closed_umask_are_opened(tmp_path):
    (tmp_path / "bin").mkdir(mode=0o700)
    program = tmp_path / "bin" / "postgres"
    program.touch(mode=0o700)
    text = tmp_path / "notes"
    text.touch(mode=0o600)

    account.open_programs(tmp_path)

    assert mode(program) == mode(program.parent) == 0o705
    assert mode(text) == 0o604


def test_an_ordinary_user_runs_the_server_as_themselves(tmp_path, monkeypatch):
    monkeypatch.setattr("os.geteuid", lambda: 1000)

    assert account.server_account(tmp_path) is None
