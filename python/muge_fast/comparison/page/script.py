"""The script of pages of comparisons: it sorts tables, and shows the pair of systems that is chosen.

It moves elements of the page and creates buttons with ``textContent`` alone, so that no name is ever read as HTML.
"""

SCRIPT = """
(function () {
"use strict";
for (const table of document.querySelectorAll("table.systems")) {
  const body = table.tBodies[0], heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.title = table.dataset.sort;
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const order = head.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", order);
      const sign = order === "ascending" ? 1 : -1;
      const key = row => {
        const cell = row.cells[column], value = cell.dataset.value;
        return value === undefined ? cell.textContent : Number(value);
      };
      const rows = [...body.rows].map(row => [key(row), row]);
      rows.sort(([a], [b]) => sign * (a < b ? -1 : a > b ? 1 : 0));
      body.append(...rows.map(([, row]) => row));
    });
  });
}
const choice = document.getElementById("pair");
if (choice) {
  const pairs = [...document.querySelectorAll("details.pair")];
  const update = () => pairs.forEach((pair, index) => {
    pair.open = true;
    pair.hidden = String(index) !== choice.value;
  });
  choice.addEventListener("input", update);
  choice.closest("form").addEventListener("submit", event => event.preventDefault());
  choice.closest("form").hidden = false;
  choice.closest("section").classList.add("chosen");
  update();
}
})();
"""
