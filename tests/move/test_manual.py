"""The commands of `sallyport help move`, as they are there."""

import os
import re
import subprocess
from datetime import datetime, timedelta, timezone

from django_site import FOLDER, ROOT, get, post
from records import claims
from service import BINARY, FLAGS, ISSUER, Replica

MANUAL = (ROOT / "src/help/move.md").read_text()


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", MANUAL, re.DOTALL)


def block(language, text):
    """The one block with this text."""
    (found,) = (block for block in blocks(language) if text in block)
    return found


class Shell:
    """A directory in which `python manage.py` is the site and `sallyport` the program."""

    def __init__(self, site):
        self.site = site
        self.directory = site.directory / "shell"
        programs = self.directory / "programs"
        programs.mkdir(parents=True)
        (self.directory / "manage.py").symlink_to(FOLDER / "project/manage.py")
        # Not a link: Python finds its environment by its own path.
        (programs / "python").write_text(f'#!/bin/sh\nexec "{site.environment.python}" "$@"\n')
        (programs / "python").chmod(0o755)
        (programs / "sallyport").symlink_to(BINARY)
        self.environment = {
            **{name: value for name, value in site.variables().items() if not name.startswith("SALLYPORT")},
            "PATH": f"{programs}:{os.environ['PATH']}",
            "SALLYPORT_ISSUER": ISSUER,
        }

    def run(self, commands):
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands], cwd=self.directory, env=self.environment,
            capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, commands + done.stdout + done.stderr
        return done.stdout

    def serve(self, command):
        words = command.split()
        assert words[:2] == ["sallyport", "serve"]
        return Replica([BINARY, *words[1:], "--listen", "127.0.0.1:0", *FLAGS], self.directory, self.environment)


def test_the_commands_of_the_manual_move_a_site_and_bring_it_back(make_site):
    site = make_site()
    population = site.populate(users=16, logins=10)
    users = [user for user in population.users if user["can_log_in"] and user["is_active"] and not user["is_deleted"]]
    tokens = [token for token in population.of("live") if token["user_id"] in {user["id"] for user in users}]
    shell = Shell(site)

    shell.run(block("sh", "flushexpiredtokens"))
    assert "Dry run" in shell.run(block("sh", "--print-exporter"))
    assert "Imported into" in shell.run(block("sh", "--apply"))

    # django.toml, at the time of the cut-over.
    now = datetime.now(timezone.utc).replace(microsecond=0)
    settings = block("toml", "key-file")
    for example, time in zip(re.findall(r"\d{4}-\S+Z", settings), (now, now + timedelta(days=7)), strict=True):
        settings = settings.replace(example, time.isoformat().replace("+00:00", "Z"))
    (shell.directory / "django.toml").write_text(settings)
    (shell.directory / "django.key").write_text(site.options["secret_key"])
    command = block("sh", "sallyport serve").strip()
    replica = shell.serve(f"{command} --simplejwt-endpoints /api/token")
    try:
        answer = replica.refresh(tokens[0]["refresh"])
        assert answer.is_granted
        by_app = replica.post("refresh/", {"refresh": tokens[1]["refresh"]})
        assert by_app.status == 200
        logged_in = replica.log_in(users[-1]["username"], users[-1]["password"])
        assert "django" in shell.run("sallyport import status")
    finally:
        replica.kill()

    shell.run(block("sh", "--print-loader"))
    key = shell.directory / "sallyport-refresh.key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert (shell.directory / "sallyport_refresh.py").is_file()
    site.configure(settings={"SALLYPORT_REFRESH_KEY_FILE": str(key), "SALLYPORT_ISSUER": ISSUER})
    view = re.search(r"`sallyport_refresh\.(\w+)`", MANUAL.replace("\n", " "))[1]
    assert f"import {view}\n" in (FOLDER / "project/urls.py").read_text()
    with site.serve() as url:
        live = [answer.refresh, by_app.body["refresh"], logged_in.refresh, tokens[2]["refresh"]]
        owners = [tokens[0]["user_id"], tokens[1]["user_id"], users[-1]["id"], tokens[2]["user_id"]]
        for token, owner in zip(live, owners):
            back = post(f"{url}/api/back/refresh/", {"refresh": token})
            assert back.status == 200 and claims(back.body["access"])["user_id"] == owner
            assert get(f"{url}/api/me", back.body["access"]).body["id"] == owner
            assert post(f"{url}/api/back/refresh/", {"refresh": token}).status == 401
