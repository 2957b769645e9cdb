"""The script of pages: it sorts, searches and filters the list of items.

It creates elements with ``textContent`` alone, so that nothing in a submission is ever read as HTML.
"""

SCRIPT = """
(function () {
"use strict";
const CHUNK = 100;
const get = name => document.getElementById(name);
const data = JSON.parse(get("data").textContent);
const holder = get("items"), more = get("more"), controls = get("controls");
const words = data.words;
const format = (text, ...values) => text.replace(/\\{(\\d*)\\}/g, (_, n) => values[n || 0]);
const number = value => value.toLocaleString("en-US");

const items = data.items.map((row, position) => {
  const [index, id, scores, length, flags, facts, fields] = row;
  return {position, index, id, scores, length, flags, facts, fields, node: get("item-" + index), text: null};
});

function make(tag, name, ...content) {
  const node = document.createElement(tag);
  if (name) node.className = name;
  node.append(...content);
  return node;
}

// The same elements as those that the page has for its first items.
function build(item) {
  const article = make("article", "item");
  article.id = "item-" + item.index;
  const link = make("a", "id", item.id);
  link.href = "#" + article.id;
  const header = make("header", "", link);
  if (item.scores.length) {
    header.append(make("span", "values", ...item.scores.map((value, i) =>
      make("span", "", data.metrics[i] + " ", make("b", "", value.toFixed(data.digits[i]))))));
  }
  article.append(header);
  if (item.facts) article.append(make("p", "facts", item.facts));
  if (item.fields.length) article.append(make("div", "fields", ...item.fields.map(buildField)));
  return article;
}

function buildField([label, kind, values]) {
  const title = make("h4", "", data.labels[label]);
  if (kind === "texts") {
    const texts = values.map(([levels, ...parts]) =>
      make("li", "", ...parts.map((part, i) => levels[i] === "0" ? part : make("span", data.levels[levels[i]], part))));
    return make("div", "field", title, make("ul", "texts", ...texts));
  }
  const ids = values.map(([key, hit], i) => {
    const node = make("li", hit ? "hit" : "", make("span", "rank", String(i + 1)), make("span", "key", key));
    if (hit) node.append(make("span", "badge good", words.hit));
    return node;
  });
  return make("div", "field " + kind, title, make(kind === "ranking" ? "ol" : "ul", "chips", ...ids));
}

const nodeOf = item => item.node || (item.node = build(item));

function textOf(item) {
  if (item.text === null) {
    let parts = [item.id];
    if (item.fields) {
      for (const [, kind, values] of item.fields) {
        for (const value of values) parts.push(kind === "texts" ? value.slice(1).join("") : value[0]);
      }
    } else {
      for (const node of item.node.querySelectorAll(".texts li, .key")) parts.push(node.textContent);
    }
    item.text = parts.join("\\n").toLowerCase();
  }
  return item.text;
}

let listed = [], shown = 0, only = null;

function compare() {
  const [key, metric] = get("sort").value.split(":");
  const sign = Number(get("direction").value);
  const by = {
    score: (a, b) => a.scores[metric] - b.scores[metric],
    length: (a, b) => a.length - b.length,
    order: (a, b) => a.index - b.index,
    position: (a, b) => a.position - b.position,
    id: (a, b) => {
      const x = Number(a.id), y = Number(b.id);
      return Number.isNaN(x - y) ? (a.id < b.id ? -1 : a.id > b.id ? 1 : 0) : x - y;
    },
  }[key];
  return (a, b) => sign * by(a, b) || a.position - b.position;
}

function matches() {
  const search = get("search").value.trim().toLowerCase();
  const flag = get("flag") ? Number(get("flag").value) : 0;
  const metric = get("metric") ? Number(get("metric").value) : 0;
  const bound = name => get(name) && get(name).value !== "" ? Number(get(name).value) : null;
  const least = bound("least"), largest = bound("largest");
  return item => (!flag || item.flags & flag)
    && (least === null || item.scores[metric] >= least)
    && (largest === null || item.scores[metric] <= largest)
    && (!search || textOf(item).includes(search));
}

function update() {
  only = null;
  listed = items.filter(matches()).sort(compare());
  holder.replaceChildren();
  shown = 0;
  extend();
}

function extend() {
  const next = listed.slice(shown, shown + CHUNK);
  holder.append(...next.map(nodeOf));
  shown += next.length;
  const left = listed.length - shown;
  more.hidden = only === null && !left;
  more.textContent = only === null ? format(words.more, number(Math.min(CHUNK, left))) : words.reset;
  get("count").textContent = format(words.count, number(listed.length), number(items.length));
}

// A link to an item shows it alone if it is not in the list yet.
function follow() {
  const match = /^#item-(\\d+)$/.exec(location.hash);
  const item = match && items.find(one => one.index === Number(match[1]));
  if (!item || holder.contains(item.node)) return;
  only = item;
  listed = [item];
  shown = 0;
  holder.replaceChildren();
  extend();
  item.node.scrollIntoView();
}

function better() {
  const [key, metric] = get("sort").value.split(":");
  get("direction").value = key === "score" ? String(data.better[metric]) : "1";
}

let timer = 0;
controls.addEventListener("submit", event => event.preventDefault());
controls.addEventListener("input", event => {
  if (event.target.id === "sort") better();
  clearTimeout(timer);
  timer = setTimeout(update, event.target.tagName === "SELECT" ? 0 : 150);
});
more.addEventListener("click", () => only === null ? extend() : update());
window.addEventListener("hashchange", follow);
window.addEventListener("beforeprint", () => {
  while (only === null && shown < Math.min(listed.length, 2000)) extend();
});
controls.hidden = false;
better();
update();
follow();
})();
"""
