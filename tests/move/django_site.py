"""Django sites: a project, a SQLite database or one on PostgreSQL, and an environment with certain versions."""

import contextlib
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import urllib.error
import urllib.request
from dataclasses import dataclass, field

FOLDER = pathlib.Path(__file__).resolve().parent
ROOT = FOLDER.parent.parent
KEPT = ROOT / "target/move"
FILES = ROOT / "src/kits/django"

SECRET_KEY = "move-tests-0123456789abcdefghijklmnopqrstuvwxyz-0123456789ABCDEF"


@dataclass(frozen=True)
class Environment:
    """A virtual environment of tests/move/run."""

    name: str

    @property
    def python(self):
        return str(KEPT / self.name / "bin/python")

    @property
    def simplejwt(self):
        return tuple(int(part) for part in self.name.split("-")[1].split("."))

    @property
    def django(self):
        return tuple(int(part) for part in self.name.split("-")[3].split("."))


ENVIRONMENTS = [Environment(path.stem) for path in sorted(FOLDER.glob("requirements/simplejwt-*.txt"))]
NEWEST = ENVIRONMENTS[-1]


@dataclass
class Response:
    status: int
    body: object


@dataclass
class Population:
    """Accounts of a site, and refresh tokens of those that logged in."""

    # id username email password scheme hash can_log_in is_active is_staff is_superuser groups is_deleted
    users: list
    # user_id refresh state: "live", "rotated", "blacklisted" or "expired"
    tokens: list = field(default_factory=list)

    def user(self, user_id):
        return next(user for user in self.users if user["id"] == user_id)

    def of(self, state):
        return [token for token in self.tokens if token["state"] == state]


class Site:
    """`model` is "default", "email" or "computed". Options are those of site.json."""

    def __init__(self, directory, environment=NEWEST, model="default", **options):
        self.directory = pathlib.Path(directory)
        self.environment = environment
        self.options = {
            "model": model,
            "secret_key": SECRET_KEY,
            "use_tz": True,
            "debug": False,
            "blacklist_app": True,
            "allauth": False,
            "database_url": None,
            "simple_jwt": {},
            # Further folders of Python modules, and settings of Django.
            "modules": [],
            "settings": {},
            "other_hashers": other_hashers(environment),
            **options,
        }
        self.directory.mkdir(parents=True, exist_ok=True)
        self.configure()
        self.create_tables()

    def configure(self, **options):
        self.options.update(options)
        (self.directory / "site.json").write_text(json.dumps(self.options))

    @property
    def database(self):
        return self.directory / "site.db"

    def create_tables(self):
        """Migrates, or copies the file of a site with the same apps that was migrated before."""
        template = KEPT / self.environment.name / f"{self.template_name()}.db"
        if self.options["database_url"] or not template.exists():
            self.manage("migrate", "--verbosity=0")
        if self.options["database_url"]:
            return
        if not template.exists():
            copy = shutil.copy(self.database, template.with_suffix(f".{os.getpid()}"))
            os.replace(copy, template)
        shutil.copy(template, self.database)

    def template_name(self):
        migrations = sorted(FOLDER.glob("project/*/migrations/*.py"))
        apps = [str(self.options[app]) for app in ("model", "blacklist_app", "allauth")]
        text = "".join(apps + [path.read_text() for path in migrations])
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def command(self, *arguments):
        return [self.environment.python, str(FOLDER / "project/manage.py"), *arguments]

    def variables(self, **variables):
        return {
            **os.environ,
            "MOVE_SITE": str(self.directory),
            "PYTHONPATH": os.pathsep.join([str(FILES), *self.options["modules"]]),
            **{name: str(value) for name, value in variables.items()},
        }

    def manage(self, *arguments, stdin="", check=True, **variables):
        """Runs a command of manage.py in the site's directory."""
        done = subprocess.run(
            self.command(*arguments), input=stdin, capture_output=True, text=True, timeout=120,
            cwd=self.directory, env=self.variables(**variables),
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def shell(self, code):
        """Standard output of Python code inside the site; what Django itself prints is left out."""
        marker = "-- output --"
        done = self.manage("shell", stdin=f"print({marker!r})\n{code}")
        return done.stdout.split(marker + "\n", 1)[1]

    def run_file(self, name, check=True, **variables):
        """Runs a file of src/kits/django as its users do."""
        return self.manage("shell", stdin=(FILES / name).read_text(), check=check, **variables)

    @property
    def login_field(self):
        return {"default": "username", "email": "email", "computed": "handle"}[self.options["model"]]

    def export(self, name="export.ndjson", **variables):
        """Records of an export."""
        path = self.directory / name
        self.run_file("sallyport_export.py", SALLYPORT_EXPORT=path, **variables)
        return [json.loads(line) for line in path.read_text().splitlines()]

    def load(self, records, check=True):
        path = self.directory / "load.ndjson"
        path.write_text("".join(json.dumps(record) + "\n" for record in records))
        return self.run_file("sallyport_load.py", check=check, SALLYPORT_LOAD=path)

    @contextlib.contextmanager
    def serve(self):
        """Serves the site by HTTP; gives its URL."""
        with open(self.directory / "serve.log", "w") as log:
            server = subprocess.Popen(
                self.command("serve"), stdout=subprocess.PIPE, stderr=log, text=True,
                cwd=self.directory, env=self.variables(),
            )
        try:
            url = server.stdout.readline().strip()
            assert url, (self.directory / "serve.log").read_text()
            yield url
        finally:
            server.kill()
            server.wait()
            server.stdout.close()

    def populate(self, users=60, logins=24, unknown=False):
        """Makes accounts with hashes of every form. Some log in by HTTP, and then: some tokens are rotated or
        blacklisted, some accounts deactivated, and one is deleted."""
        arguments = [str(users)] + ["--unknown"] * unknown
        population = Population(json.loads(self.manage("populate", *arguments).stdout))
        for user in population.users:
            user["is_deleted"] = False
        who = [user for user in population.users if user["can_log_in"]][:logins]
        with self.serve() as url:
            for number, user in enumerate(who):
                self.log_in(url, population, user, rotates=number % 5 == 1)
        self.change(population, who)
        return population

    def log_in(self, url, population, user, rotates):
        answer = post(f"{url}/api/token/", {self.login_field: user["username"], "password": user["password"]})
        assert answer.status == 200, (user, answer)
        token = {"user_id": user["id"], "refresh": answer.body["refresh"], "state": "live"}
        population.tokens.append(token)
        if not rotates:
            return
        answer = post(f"{url}/api/token/refresh/", {"refresh": token["refresh"]})
        assert answer.status == 200, (user, answer)
        token["state"] = "rotated"
        # Before 5.5, SimpleJWT does not record these.
        population.tokens.append(dict(token, refresh=answer.body["refresh"], state="live"))

    def change(self, population, who):
        blacklisted = [token for token in population.of("live") if who.index(population.user(token["user_id"])) % 5 == 2]
        changes = {
            "blacklist": [token["refresh"] for token in blacklisted],
            "expired": [user["id"] for user in who[3::10]],
            "deactivate": [user["id"] for user in who[4::10]],
            "delete": [user["id"] for user in who[-1:]],
        }
        expired = json.loads(self.manage("change_tokens", stdin=json.dumps(changes)).stdout)
        for token in blacklisted:
            token["state"] = "blacklisted"
        for user_id, refresh in expired.items():
            population.tokens.append({"user_id": user_id, "refresh": refresh, "state": "expired"})
        for user in population.users:
            user["is_active"] = user["id"] not in changes["deactivate"]
            user["is_deleted"] = user["id"] in changes["delete"]


def other_hashers(environment):
    """Classes of population/hashes.py."""
    names = ["CheapPBKDF2SHA1", "CheapArgon2", "CheapBCryptSHA256", "CheapBCrypt", "CheapScrypt", "MD5"]
    return names + (["SHA1", "UnsaltedSHA1", "UnsaltedMD5"] if environment.django < (5, 1) else [])


def post(url, body):
    """The response to JSON, whatever its status is."""
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"Content-Type": "application/json", "Connection": "close"},
    )
    return answer_to(request)


def get(url, bearer):
    return answer_to(urllib.request.Request(url, headers={"Authorization": f"Bearer {bearer}"}))


def answer_to(request):
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return Response(response.status, json.loads(response.read()))
    except urllib.error.HTTPError as error:
        text = error.read()
        is_json = error.headers.get_content_type() == "application/json"
        return Response(error.code, json.loads(text) if is_json else text)
