"""The description of the API: that it is one, and that the server does what it says."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from harness.api import Api
from harness.server import Server, binary
from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import OpenAPIV31SpecValidator

HERE = Path(__file__).parent / "openapi"


@pytest.fixture(scope="module")
def document(server) -> dict:
    answer = fetch(server, "/openapi.json")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    return answer.json()


def test_the_document_is_openapi_3_1(document):
    OpenAPIV31SpecValidator(document).validate()
    assert document["openapi"].startswith("3.1.")


def test_the_document_is_of_this_version(document, server):
    assert document["info"]["version"] == fetch(server, "/version").json()["version"]


@pytest.mark.parametrize("path", ["/openapi.json", "/asyncapi.json", "/docs"])
def test_a_document_that_is_known_is_not_sent_again(server, path):
    tag = fetch(server, path).headers["ETag"]
    again = fetch(server, path, headers={"If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)


def test_the_page_loads_nothing_from_elsewhere(server):
    answer = fetch(server, "/docs")
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy and "http" not in policy
    assert "innerHTML" not in answer.text and "://" not in answer.text


def test_every_operation_is_described(document):
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(ids) == len(set(ids)) > 30
    tags = {tag["name"] for tag in document["tags"]}
    for path, method, operation in operations(document):
        assert operation["summary"] and set(operation["tags"]) <= tags, (method, path)
        assert "default" not in operation["responses"], (method, path)
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                content = resolve(document, response)["content"]
                assert list(content) == ["application/problem+json"], (method, path, status)


def test_every_example_is_valid(document):
    count = 0
    for where, schema, example in examples(document):
        whole = {"$ref": "#/schema", "schema": schema, "components": document["components"]}
        errors = list(Draft202012Validator(whole, format_checker=FormatChecker()).iter_errors(example))
        assert not errors, (where, [error.message for error in errors])
        count += 1
    assert count > 80


def test_every_answer_that_is_json_has_an_example(document):
    for path, method, operation in operations(document):
        for status, response in operation["responses"].items():
            for media, holder in resolve(document, response).get("content", {}).items():
                if "json" in media and path not in ("/openapi.json", "/asyncapi.json"):
                    assert "example" in holder or "examples" in holder, (method, path, status)


@pytest.mark.parametrize("role", ["admin", "client"])
def test_schemathesis_finds_nothing(program, tmp_path, request, role):
    """Every check, every operation. `--fuzz-examples` and `--fuzz-seed` widen the search (make openapi-fuzz)."""
    running = Server(tmp_path / "data", "--rate-limit", "off").start()
    try:
        run(running, role, tmp_path, request.config)
        running.stop()
    finally:
        running.kill()


def run(server, role, directory, config):
    described = fetch(server, "/openapi.json").json()
    path = directory / "openapi.json"
    path.write_text(json.dumps(closed(described)))
    command = [str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(HERE / "schemathesis.toml")]
    command += ["run", str(path), "--url", server.url, "--checks", "all", "--no-color"]
    command += ["--max-examples", str(config.getoption("--fuzz-examples"))]
    command += ["--seed", str(config.getoption("--fuzz-seed"))]
    told = {"FUZZ_URL": server.url, "FUZZ_DATA": str(server.data), "FUZZ_ROLE": role, "WATTLOOP": str(binary())}
    done = subprocess.run(command, cwd=HERE, env=os.environ | told, capture_output=True, text=True)
    print(done.stdout[-4000:])
    assert done.returncode == 0, done.stdout[-20000:] + done.stderr[-4000:]
    assert "a handler failed" not in server.stderr, server.stderr[-4000:]


def fetch(server, path, **options):
    return Api(server).get(server.url + path, **options)


def closed(document) -> dict:
    """The document with no room beside what it describes: clients must bear new members in answers, this test must
    not. Requests may hold anything more, so their schemas stay as they are."""
    answers = set()

    def collect(node):
        if isinstance(node, dict):
            name = str(node.get("$ref", "")).removeprefix("#/components/schemas/")
            if name in document["components"]["schemas"] and name not in answers:
                answers.add(name)
                collect(document["components"]["schemas"][name])
            for value in node.values():
                collect(value)
        elif isinstance(node, list):
            for value in node:
                collect(value)

    for _, _, operation in operations(document):
        collect([resolve(document, response) for response in operation["responses"].values()])
    for name in answers:
        schema = document["components"]["schemas"][name]
        if "properties" in schema:
            schema["additionalProperties"] = False
    return document


def operations(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def resolve(document, node):
    if "$ref" not in node:
        return node
    found = document
    for key in node["$ref"].removeprefix("#/").split("/"):
        found = found[key]
    return resolve(document, found)


def examples(document):
    """Every example with its schema and its place."""
    for path, method, operation in operations(document):
        holders = [resolve(document, parameter) for parameter in operation.get("parameters", [])]
        holders += operation.get("requestBody", {}).get("content", {}).values()
        for response in operation["responses"].values():
            response = resolve(document, response)
            holders += response.get("content", {}).values()
            holders += [resolve(document, header) for header in response.get("headers", {}).values()]
        for holder in holders:
            if "example" in holder:
                yield (method, path), holder["schema"], holder["example"]
            for example in holder.get("examples", {}).values():
                yield (method, path), holder["schema"], resolve(document, example)["value"]
    yield from schema_examples(document, "#")


def schema_examples(node, where):
    if isinstance(node, dict):
        for example in node["examples"] if isinstance(node.get("examples"), list) else []:
            yield where, node, example
        for key, value in node.items():
            yield from schema_examples(value, f"{where}/{key}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from schema_examples(value, f"{where}/{index}")
