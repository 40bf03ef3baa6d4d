"""What those who install the package rely on."""

import subprocess
import sys
from pathlib import Path


def test_the_package_is_typed() -> None:
    package = Path(__file__).parent.parent
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "src"],
        cwd=package,
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_it_imports_no_framework_by_itself() -> None:
    names = "django rest_framework fastapi starlette strawberry graphene graphql"
    code = f"import sallyport, sys; print([name for name in {names.split()} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
