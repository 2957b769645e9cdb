"""The style of pages: light and dark, wide and narrow, on screen and on paper."""

PALETTE = """
:root { color-scheme: light dark; --text: #1c2128; --soft: #59636e; --line: #d5dae0; --paper: #fff; --card: #f7f8fa;
  --accent: #2f6fed; --good: #1a7f4b; --bad: #c0362c; --warn: #b7791f; --phrase: #cdeedb; --good-rgb: 26 127 75;
  --bad-rgb: 192 54 44; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e3e7ec; --soft: #9aa5b1; --line: #39414b; --paper: #14181d; --card: #1c2229; --accent: #6c9dff;
    --good: #2f9e66; --bad: #e0695f; --warn: #d9a441; --phrase: #1f5a3c; --good-rgb: 64 184 122;
    --bad-rgb: 228 105 95; }
}
"""
"""Colours of everything that the package draws, by the scheme of the reader's device."""

STYLE = (
    PALETTE
    + """* { box-sizing: border-box; }
body { background: var(--paper); color: var(--text); margin: 0 auto; max-width: 74rem; padding: 2rem 1.5rem 4rem;
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", "Noto Sans SC", "Noto Sans CJK SC", "PingFang SC",
  "Microsoft YaHei", sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.3; margin: 0; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 .75rem; }
h3 { font-size: 1rem; margin: 0 0 .4rem; }
h4 { color: var(--soft); font-size: .75rem; font-weight: 500; margin: 0 0 .15rem; }
p { margin: .35rem 0; }
code { font-size: .75rem; line-height: 1.4; overflow-wrap: anywhere; }
.muted, .facts { color: var(--soft); font-size: .85rem; }
.file { font-size: 1.05rem; overflow-wrap: anywhere; }
.badge { border-radius: 1rem; color: #fff; display: inline-block; font-size: .75rem; font-weight: 600; line-height: 1.5;
  padding: 0 .6rem; vertical-align: middle; white-space: nowrap; }
.badge.good { background: #1a7f4b; } .badge.bad { background: #c0362c; }
.warning { background: var(--card); border: 1px solid var(--warn); border-left-width: .35rem; border-radius: .4rem;
  margin-top: 1rem; padding: .6rem 1rem; }
section ul { padding-left: 1.3rem; }
.warning h2 { font-size: 1rem; margin: 0; } .warning ul { margin: .25rem 0; padding-left: 1.2rem; }
.headline { margin-top: 1.25rem; } .headline .name { font-weight: 600; }
.main { font-size: 3rem; font-variant-numeric: tabular-nums; font-weight: 650; line-height: 1.15; }

table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid var(--line); padding: .35rem .6rem; text-align: left; unicode-bidi: isolate;
  vertical-align: top; }
th { color: var(--soft); font-size: .8rem; font-weight: 600; }
td { overflow-wrap: anywhere; }
th.number, td.number { font-variant-numeric: tabular-nums; overflow-wrap: normal; text-align: right;
  white-space: nowrap; }
.scores b { white-space: nowrap; }
tr.group td { border-bottom: 0; padding-bottom: 0; }
.scores tr:not(.group) td, .files tr:not(.group) td { color: var(--soft); font-size: .85rem; padding-top: 0; }
.scores code, .files code { font-size: .7rem; }
.scores, .files { max-width: 58rem; }
td.range { overflow-wrap: normal; white-space: nowrap; }
table.narrow { max-width: 40rem; }
td.bar { vertical-align: middle; width: 45%; }
td.bar svg { display: block; height: .7rem; width: 100%; }
.scroll { overflow-x: auto; }
.matrix { width: auto; }
.matrix th, .matrix td { border: 1px solid var(--line); font-size: .8rem; min-width: 2.6rem; max-width: 8rem; }
.matrix th { overflow-wrap: anywhere; vertical-align: bottom; }
.right.shade1 { background: rgb(var(--good-rgb) / .08); } .wrong.shade1 { background: rgb(var(--bad-rgb) / .08); }
.right.shade2 { background: rgb(var(--good-rgb) / .14); } .wrong.shade2 { background: rgb(var(--bad-rgb) / .14); }
.right.shade3 { background: rgb(var(--good-rgb) / .20); } .wrong.shade3 { background: rgb(var(--bad-rgb) / .20); }
.right.shade4 { background: rgb(var(--good-rgb) / .26); } .wrong.shade4 { background: rgb(var(--bad-rgb) / .26); }
.right.shade5 { background: rgb(var(--good-rgb) / .32); } .wrong.shade5 { background: rgb(var(--bad-rgb) / .32); }
.right.shade6 { background: rgb(var(--good-rgb) / .38); } .wrong.shade6 { background: rgb(var(--bad-rgb) / .38); }
.right.shade7 { background: rgb(var(--good-rgb) / .44); } .wrong.shade7 { background: rgb(var(--bad-rgb) / .44); }
.right.shade8 { background: rgb(var(--good-rgb) / .50); } .wrong.shade8 { background: rgb(var(--bad-rgb) / .50); }
dl.properties { margin: .75rem 0 0; }
dl.properties div { display: flex; gap: .75rem; }
dl.properties dt { color: var(--soft); flex: 0 0 9.5rem; font-size: .85rem; }
dl.properties dd { margin: 0; min-width: 0; overflow-wrap: anywhere; }

.row { display: flex; flex-wrap: wrap; gap: 1rem; }
.row .card { flex: 1 1 19rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; margin: 0 0 1rem;
  padding: .75rem 1rem; }
.row .card { margin: 0; }
svg rect { fill: var(--accent); } svg rect.hit { fill: var(--good); } svg rect.miss { fill: var(--bad); }
svg .grid { stroke: var(--line); } svg .mean { stroke: var(--bad); stroke-dasharray: 4 3; }
svg text { fill: var(--soft); font-size: 11px; }
figure > svg { display: block; margin: 0 auto; max-width: 32rem; width: 100%; }

#controls:not([hidden]) { align-items: end; background: var(--paper); border-bottom: 1px solid var(--line);
  display: flex; flex-wrap: wrap; gap: .5rem .75rem; padding: .5rem 0 .75rem; position: sticky; top: 0; z-index: 1; }
#controls label { display: flex; flex: 1 1 6.5rem; flex-direction: column; font-size: .75rem; max-width: 16rem;
  min-width: 0; }
#controls label span { color: var(--soft); }
#controls input, #controls select, button { background: var(--card); border: 1px solid var(--line);
  border-radius: .3rem; color: inherit; font: inherit; font-size: .85rem; height: 2.1rem;
  min-width: 0; padding: .2rem .4rem; width: 100%; }
#controls output { color: var(--soft); flex: 1 0 100%; font-size: .8rem; }
#more { cursor: pointer; margin-top: 1rem; padding: .6rem; }
#items > h3 { margin: 1.5rem 0 .5rem; }
.item { border-bottom: 1px solid var(--line); contain-intrinsic-size: auto 9rem; content-visibility: auto;
  padding: .8rem 0; scroll-margin-top: 6rem; }
.item:target { background: var(--card); }
.item header { align-items: baseline; display: flex; flex-wrap: wrap; gap: .25rem 1rem; }
.id { color: inherit; font-weight: 600; overflow-wrap: anywhere; text-decoration-color: var(--line);
  unicode-bidi: isolate; }
.values { display: flex; flex-wrap: wrap; font-size: .85rem; gap: 0 .9rem; font-variant-numeric: tabular-nums; }
.values span { color: var(--soft); white-space: nowrap; } .values b { color: var(--text); }
.fields { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; margin-top: .25rem; }
.field { flex: 1 1 20rem; min-width: 0; }
.field.ranking { flex-basis: 100%; }
section .texts { margin: 0; padding-left: 1.1rem; } .texts li { overflow-wrap: anywhere; unicode-bidi: isolate; }
.texts li:only-child { list-style: none; margin-left: -1.1rem; }
.phrase { background: var(--phrase); border-radius: .15rem; }
.token { text-decoration: underline dotted var(--soft) 1px; text-underline-offset: .25em; }
.texts .right { color: var(--good); font-weight: 600; } .texts .wrong { color: var(--bad); font-weight: 600; }
section .chips { display: flex; flex-wrap: wrap; gap: .4rem; list-style: none; margin: 0; padding: 0; }
.chips li { border: 1px solid var(--line); border-radius: .35rem; font-size: .8rem; line-height: 1.5; max-width: 100%;
  padding: .1rem .4rem; }
.chips li:has(img) { width: 6.6rem; }
.chips li.hit { border: 2px solid var(--good); font-weight: 600; }
.chips img { display: block; height: 5.5rem; margin: .2rem auto; max-width: 100%; object-fit: contain; }
.rank { color: var(--soft); font-size: .7rem; margin-right: .3rem; }
ul.chips .rank { display: none; }
.key { overflow-wrap: anywhere; unicode-bidi: isolate; }
.chips .badge { font-size: .65rem; margin-left: .3rem; padding: 0 .35rem; }
.pictures { display: flex; gap: .6rem; margin: .2rem 0; }
.pictures figure { margin: 0; }
.pictures img { border-radius: .3rem; display: block; max-height: 11rem; max-width: 100%; }
.tiles { display: flex; flex-wrap: wrap; gap: .8rem; margin-top: .8rem; }
.tiles .item { border: 1px solid var(--line); border-radius: .5rem; flex: 1 1 22rem; padding: .6rem .9rem; }
.tiles > h3, .tiles > p { flex: 1 0 100%; margin: .5rem 0 0; }
.tiles .field { flex-basis: 8rem; }
.tiles .pictures { flex: 1 0 100%; }
figcaption { color: var(--soft); font-size: .75rem; }

.hint b { color: var(--soft); font-weight: 600; margin-right: .3rem; }
.problems { margin: .5rem 0 0; padding-left: 1.1rem; }
.problems li { margin-bottom: .35rem; overflow-wrap: anywhere; }
.excerpt { background: var(--paper); border-left: 3px solid var(--line); color: var(--soft); display: block;
  padding: .1rem .5rem; unicode-bidi: isolate; }
summary { cursor: pointer; }

@media (max-width: 40rem) {
  body { padding: 1.25rem .9rem 3rem; }
  h1 { font-size: 1.3rem; }
  th, td { padding: .3rem .35rem; } th.number { white-space: normal; }
  .scores th, .scores td { padding-left: .2rem; padding-right: .2rem; }
  .scores .bounds { font-size: .75rem; white-space: normal; }
  #controls:not([hidden]) { position: static; }
  #controls label { flex-basis: 40%; }
  dl.properties dt { flex-basis: 6.5rem; }
  .chips li:has(img) { width: 5.2rem; } .chips img { height: 4rem; }
  .tiles .item { flex-basis: 100%; }
}
@media print {
  body { font-size: 10pt; max-width: none; padding: 0; }
  #controls, #more { display: none !important; }
  .item, .card, tr { break-inside: avoid; }
  .item { content-visibility: visible; }
  .badge, .phrase, .matrix td { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""
)

BROKEN_PICTURE = 'class="broken-picture"'
"""Attribute of the words in place of a picture."""

BROKEN_PICTURE_STYLE = """
.broken-picture { border: 1px dashed var(--soft); border-radius: .3rem; color: var(--soft); display: block;
  font-size: .75rem; font-weight: 400; max-width: 16rem; padding: .6rem; }
.chips li:has(.broken-picture) { width: 6.6rem; }
.chips .broken-picture { margin: .2rem 0; padding: .3rem; }
@media (max-width: 40rem) { .chips li:has(.broken-picture) { width: 5.2rem; } }
"""
"""Style of these words, for the pages that have them."""
