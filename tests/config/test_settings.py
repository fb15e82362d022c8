"""What the settings ask of a deployment, and what they do by themselves in embedded mode."""

import stat

import pytest

PRODUCTION = {
    "DATABASE_URL": "postgres://carryover:secret@database.invalid/carryover",
    "SECRET_KEY": "f6Wq0Zr-production-key-of-more-than-fifty-characters-3kQx9",
    "ALLOWED_HOSTS": "carryover.invalid",
}
SHOW = "from django.conf import settings; print({})"


def test_production_refuses_to_start_without_a_secret_key(run):
    result = run("manage.py", "check", DATABASE_URL=PRODUCTION["DATABASE_URL"])

    assert result.returncode == 1
    assert "DATABASE_URL is set but SECRET_KEY is not: set SECRET_KEY" in result.stderr


def test_a_secret_key_is_taken_as_it_is(run):
    key = "$" + PRODUCTION["SECRET_KEY"]
    result = run("-c", SHOW.format("settings.SECRET_KEY"), **PRODUCTION | {"SECRET_KEY": key})

    assert result.stdout == f"{key}\n", result.stderr


def test_production_passes_the_deployment_checks(run):
    result = run("manage.py", "check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)

    assert result.returncode == 0, result.stderr
    assert "no issues" in result.stdout + result.stderr


def test_production_needs_nothing_under_home(run, tmp_path):
    assert run("-c", SHOW.format("settings.DEBUG"), **PRODUCTION).stdout == "False\n"
    assert not (tmp_path / "home").exists()


def test_database_url_is_used_as_it_is(run):
    result = run("-c", SHOW.format("settings.DATABASES['default']['HOST']"), **PRODUCTION)

    assert result.stdout == "database.invalid\n"


def test_embedded_mode_makes_one_secret_key_that_only_its_owner_reads(run, tmp_path):
    first = run("-c", SHOW.format("settings.SECRET_KEY"))
    second = run("-c", SHOW.format("settings.SECRET_KEY"))

    assert len(first.stdout.strip()) >= 50
    assert first.stdout == second.stdout
    assert stat.S_IMODE((tmp_path / "home" / "secret-key").stat().st_mode) == 0o600


def test_reading_settings_starts_no_server(run, tmp_path):
    assert run("-c", "import django; django.setup()").returncode == 0
    assert not (tmp_path / "home" / "postgres").exists()


def test_embedded_mode_serves_this_machine_only_over_http(run):
    shown = SHOW.format("settings.ALLOWED_HOSTS, settings.SECURE_SSL_REDIRECT, settings.DEBUG")

    assert run("-c", shown).stdout == "['localhost', '127.0.0.1', '[::1]'] False False\n"


def test_times_are_shown_in_riyadh_unless_another_zone_is_chosen(run):
    shown = SHOW.format("settings.TIME_ZONE, settings.USE_TZ")

    assert run("-c", shown).stdout == "Asia/Riyadh True\n"
    assert run("-c", shown, CARRYOVER_TIME_ZONE="Asia/Dubai").stdout == "Asia/Dubai True\n"


def test_celery_uses_the_redis_url(run):
    broker = "from config import celery_app; print(celery_app.conf.broker_url)"

    assert run("-c", broker, REDIS_URL="redis://queue.invalid/1").stdout == (
        "redis://queue.invalid/1\n"
    )


def test_logs_go_to_standard_error_as_json_in_production(run):
    result = run(
        "-c",
        "import django; django.setup(); import structlog; "
        "structlog.get_logger('carryover').info('run started', run_id='r1')",
        **PRODUCTION,
    )

    assert result.stdout == ""
    assert '"event": "run started"' in result.stderr
    assert '"run_id": "r1"' in result.stderr


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_logged_error_tells_where_it_was_and_not_what_people_entered(run, log_format):
    result = run(
        "-c",
        "import django; django.setup(); import logging\n"
        "def handle(entered):\n"
        "    try:\n"
        "        raise ValueError('unreadable')\n"
        "    except ValueError:\n"
        "        logging.getLogger('django.request').exception('it failed')\n"
        "handle(bytes.fromhex('736563726574').decode())",
        **PRODUCTION,
        LOG_FORMAT=log_format,
    )

    assert "unreadable" in result.stderr
    assert "handle" in result.stderr
    assert "secret" not in result.stderr
