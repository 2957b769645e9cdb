"""Every address of the description with strange values, on both databases: answers are problems, never faults."""

import json
import random
import re

from leaderboard_sites import TestSite
from muge_fast.leaderboard.web.forms.routes import FORMS

SEED = 22
WORDS = [
    *("", " ", "x", "retrieval", "0", "-1", "1e400", "NaN", "null", "true", "2026-11", "2026-99", "..", "%", "+"),
    *("'", '"', "';--", "<script>", "{{7*7}}", "${x}", "=1+1", "红裙", "é", "\u202e", "\ufeff", "\x7f", "\x01"),
    *("\x00", "a\x00b", "\ud800", "😀", "x" * 70, "x" * 5000, "9" * 40, "1\n2", "a\tb", "\u2028", "%00", "%2e%2e"),
]
VALUES = [*WORDS, None, True, 0, -1, 10**30, 1.5, [], {}, ["read"], [None], {"a": "\x00"}, [[["x"]]]]


def cases(description, known):
    """Yield requests for every operation: with ids that exist and with nonsense, alone and mixed."""
    chance = random.Random(SEED)
    for path, ones in sorted(description["paths"].items()):
        for method, operation in sorted(ones.items()):
            for _ in range(12):
                names = re.findall(r"\{(\w+)\}", path)
                values = {
                    name: chance.choice(known.get(name, ["x"])) if chance.random() < 0.6 else chance.choice(WORDS)
                    for name in names
                }
                query = {
                    one["name"]: chance.choice(WORDS)
                    for one in operation.get("parameters", [])
                    if one["in"] == "query" and chance.random() < 0.7
                }
                fields = ("name", "alias", "label", "scopes", "days", "reason", "evaluator", "confirm", "invitation")
                body = {name: chance.choice(VALUES) for name in fields if chance.random() < 0.7}
                yield method, path, values, query, body


def encoded(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode("utf-8", "surrogatepass"))


def test_strange_values_are_refused_without_a_fault(tmp_path, address):
    site = TestSite(tmp_path, address)
    with site.client(limit_floods=False) as client:
        one = client.post("/api/v1/tasks/retrieval/submissions", content=b"x", headers=site.bearer("red")).json()["id"]
        known = {"task": ["retrieval"], "submission": [one], "action": ["withdraw", "restore"], "month": ["2026-11"]}
        description = client.get("/api/v1/openapi.json").json()
        faults, count = [], 0
        for method, path, values, query, body in cases(description, known):
            target = path.format(**{name: encoded(value) or "x" for name, value in values.items()})
            pairs = "&".join(f"{name}={encoded(value)}" for name, value in query.items())
            role = random.Random(count).choice(["red", "boss", None])
            headers = site.bearer(role) if role else {}
            content = None
            if method in ("post", "patch", "put"):
                content = json_with_surrogates(body)
                headers["Content-Type"] = "application/json"
            answer = client.request(method.upper(), f"{target}?{pairs}", content=content, headers=headers)
            count += 1
            if answer.status_code >= 500:
                faults.append((method, target, query, body, answer.text))
            elif answer.status_code >= 400:
                assert answer.headers["content-type"] == "application/problem+json", (method, target)
                assert answer.json()["status"] == answer.status_code
        assert faults == []
        assert count > 300
    site.close()


def json_with_surrogates(body: object) -> bytes:
    """Return JSON in ASCII, in which half characters and NUL are escapes that a parser accepts."""
    return json.dumps(body).encode()


def test_strange_forms_are_refused_without_a_fault(tmp_path, address):
    site = TestSite(tmp_path, address)
    chance = random.Random(SEED)
    with site.client(limit_floods=False) as client:
        client.post("/login", data={"name": "boss", "password": site.tokens["boss"]})
        one = client.post("/api/v1/tasks/retrieval/submissions", content=b"x", headers=site.bearer("red")).json()["id"]
        names = (
            "name",
            "password",
            "next",
            "old",
            "new",
            "label",
            "days",
            "alias",
            "invitation",
            "reason",
            "evaluator",
        )
        for form in FORMS:
            if form.path in ("/logout", "/login", "/account/password"):
                continue
            for _ in range(6):
                path = re.sub(
                    r"\{\w+\}", lambda _: chance.choice([one, "retrieval", encoded(chance.choice(WORDS))]), form.path
                )
                fields = "&".join(f"{name}={encoded(chance.choice(WORDS))}" for name in names)
                headers = {"Content-Type": "application/x-www-form-urlencoded"}
                answer = client.post(path, content=fields.encode(), headers=headers)
                assert answer.status_code < 500, (path, fields, answer.text)
    site.close()
