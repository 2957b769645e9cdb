"""A reader of HTML pages for tests: it checks what every page must keep to, and collects what tests look at."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

VOID = {"meta", "img", "input"}
ELEMENTS = {"html", "head", "meta", "title", "style", "body", "script", "header", "section", "article", "h1", "h2"}
ELEMENTS |= {
    "h3",
    "h4",
    "div",
    "span",
    "p",
    "b",
    "bdi",
    "a",
    "code",
    "img",
    "figure",
    "figcaption",
    "table",
    "tr",
    "th",
}
ELEMENTS |= {"td", "ul", "ol", "li", "dl", "dt", "dd", "svg", "rect", "line", "text", "details", "summary", "form"}
ELEMENTS |= {"label", "input", "select", "option", "output", "button", "thead", "tbody", "circle"}
ATTRIBUTES = {"lang", "charset", "http-equiv", "content", "name", "class", "id", "href", "src", "alt", "type", "hidden"}
ATTRIBUTES |= {"placeholder", "step", "value", "colspan", "scope", "viewbox", "role", "aria-label", "aria-hidden", "x"}
ATTRIBUTES |= {"y", "width", "height", "x1", "x2", "y1", "y2", "text-anchor", "preserveaspectratio", "cx", "cy", "r"}
ATTRIBUTES |= {"open", "data-value", "data-sort", "loading", "decoding"}


class Page(HTMLParser):
    """A page: balanced elements, no others than the library writes, nothing that loads or runs what a file holds."""

    def __init__(self, html):
        super().__init__()
        self.open, self.nodes, self.raw, self.links = [], [], {"script": [], "style": []}, []
        self.policy = ""
        self.feed(html)
        self.close()
        assert self.open == []
        self.check_policy()

    def handle_starttag(self, tag, attributes):
        assert tag in ELEMENTS
        assert {name for name, _ in attributes} <= ATTRIBUTES
        values = dict(attributes)
        assert values.get("src", "data:image/").startswith("data:image/")
        assert values.get("href", "#").startswith("#")
        if values.get("http-equiv") == "Content-Security-Policy":
            self.policy = values["content"]
        if "href" in values:
            self.links.append(values["href"][1:])
        node = {"tag": tag, "attributes": values, "text": [], "parents": [parent["tag"] for parent in self.open]}
        self.nodes.append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_endtag(self, tag):
        assert self.open.pop()["tag"] == tag

    def handle_data(self, data):
        if self.open and self.open[-1]["tag"] in self.raw:
            if self.open[-1]["attributes"].get("type") != "application/json":
                self.raw[self.open[-1]["tag"]].append(data)
            self.open[-1]["text"].append(data)
            return
        for node in self.open:
            node["text"].append(data)

    def check_policy(self):
        """Check that the policy allows the style and the script of the page, and nothing else."""
        assert self.policy.startswith("default-src 'none'; ")
        allowed = dict(re.findall(r"(style|script)-src '(sha256-[^']+)'(?:;|$)", self.policy))
        for kind, texts in self.raw.items():
            for text in texts:
                digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
                assert allowed[kind] == f"sha256-{digest}"
        assert "unsafe" not in self.policy
        assert "http" not in self.policy

    def find(self, tag, name=None, **attributes):
        """Return the text of elements with a tag, a class and attributes."""
        return ["".join(node["text"]) for node in self.select(tag, name, **attributes)]

    def select(self, tag, name=None, **attributes):
        """Return the elements with a tag, a class and attributes."""
        return [
            node
            for node in self.nodes
            if node["tag"] == tag
            and (name is None or name in node["attributes"].get("class", "").split())
            and attributes.items() <= node["attributes"].items()
        ]

    @property
    def text(self):
        """All text that a reader sees."""
        return "".join(self.nodes[0]["text"])

    @property
    def data(self):
        """The data for the script."""
        (text,) = self.find("script", id="data")
        return json.loads(text)
