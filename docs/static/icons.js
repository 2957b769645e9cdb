/* Sphinx marks the words of a search wherever they stand, and stops with an error at those in titles of icons. */
document.querySelectorAll("svg title").forEach((title) => title.classList.add("nohighlight"));
