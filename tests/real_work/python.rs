//! A package that a virtual environment has from its own source, installed without an index.

use super::{answer, assert_green, ends, enforces, has};
use crate::support::{Desk, FINISH, write};

const CONFIG: &str = r#"
[scope]
write = ["src/**"]
build = [".venv"]

[[setup]]
run = ["python3", "-m", "venv", ".venv"]
when = ["pyproject.toml"]

[[setup]]
run = [".venv/bin/pip", "install", "--no-index", "--disable-pip-version-check", "-e", "."]
when = ["pyproject.toml"]

[[gate]]
name = "test"
run = [".venv/bin/python", "-m", "unittest", "discover", "tests"]
timeout = "2m"
report = "exit"
"#;

const PROJECT: &str = r#"
[project]
name = "demo"
version = "1.0"

[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"#;

/// Builds what an editable install is made of, with nothing but the standard library.
const BACKEND: &str = r#"
import os
import zipfile


def build_editable(folder, config_settings=None, metadata_directory=None):
    name = "demo-1.0-py3-none-any.whl"
    files = {
        "demo.pth": os.path.join(os.getcwd(), "src") + "\n",
        "demo-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n",
        "demo-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: backend\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "demo-1.0.dist-info/RECORD"
    files[record] = "".join(f"{path},,\n" for path in [*files, record])
    with zipfile.ZipFile(os.path.join(folder, name), "w") as wheel:
        for path, text in files.items():
            wheel.writestr(path, text)
    return name


build_wheel = build_editable
"#;

const TESTS: &str = r#"
import http.server
import threading
import unittest
import urllib.request

import demo


class All(unittest.TestCase):
    def test_the_package_is_the_one_beside_these_tests(self):
        with open("src/demo/__init__.py") as source:
            self.assertIn(f"ANSWER = {demo.ANSWER}", source.read())

    def test_a_server_on_localhost_answers(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with self.assertRaises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/")
        caught.exception.close()
        self.assertEqual(caught.exception.code, 501)
        server.shutdown()
        server.server_close()
"#;

#[test]
fn an_editable_install_reaches_the_candidate() {
    if !has("python3", &["-c", "import ensurepip, venv"]) {
        return;
    }
    let desk = Desk::of(
        &[
            ("harness.toml", CONFIG),
            ("pyproject.toml", PROJECT),
            ("backend.py", BACKEND),
            ("src/demo/__init__.py", "ANSWER = 0\n"),
            ("tests/test_all.py", TESTS),
        ],
        "/.venv\n__pycache__\n",
    );
    if !enforces("namespaces") {
        return;
    }
    let change = write("src/demo/__init__.py", "ANSWER = 42\n");
    let (story, _server) = desk.work(&[&answer(), &change, FINISH], &["--sandbox", "namespaces"]);
    assert_green(&story);
    for place in ["work_tree", "base", "candidate"] {
        assert_eq!(ends(&story, place), ["done", "done"], "{place} {story}");
    }
}
