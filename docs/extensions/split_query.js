/* Terms of a query, as chinese_search.py puts those of pages into the index. A function, since searchtools.js declares
   a variable of this name. */
function splitQuery(query) {
  const words = query.match(/[\p{Letter}\p{Number}_]+/gu) || [];
  const parts = words.flatMap((word) => word.match(/\p{Script=Han}+|\P{Script=Han}+/gu));
  return parts.flatMap((part) => (/\p{Script=Han}/u.test(part) ? chineseTerms(part) : [part]));
}

/* Pairs of characters of each word. Words of one character, such as 的, count only if there is no other word. */
function chineseTerms(text) {
  const words = segments(text).filter((word) => word.length > 1);
  return words.length ? words.flatMap(pairs) : [...text];
}

function pairs(word) {
  const characters = [...word];
  return characters.slice(1).map((second, index) => characters[index] + second);
}

/* Browsers without a segmenter look for the text as it is. */
function segments(text) {
  if (!Intl.Segmenter) return [text];
  return [...new Intl.Segmenter("zh", { granularity: "word" }).segment(text)].map((part) => part.segment);
}
