"""The style of pages of comparisons, in addition to that of all pages."""

STYLE = """
.headline .leader { font-size: 1.9rem; font-weight: 650; line-height: 1.25; overflow-wrap: anywhere; }
.soft { color: var(--soft); }
details.metric { border: 1px solid var(--line); border-radius: .6rem; margin-top: 1.25rem; padding: .25rem 1rem; }
details.metric[open] { padding-bottom: 1rem; }
details.metric > summary { padding: .45rem 0; }
details.metric > summary h2 { display: inline; font-size: 1.1rem; margin: 0; }
details.metric h3 { margin-top: 1.5rem; }
.badge.tied { background: #2563c9; } .badge.plain { background: #59636e; }

.plots { margin: .25rem 0 .5rem; table-layout: fixed; }
.plots th, .plots td { border: 0; padding: 0 .6rem 0 0; vertical-align: middle; }
.plots th:first-child, .plots td:first-child { width: 24%; }
.plots td:nth-child(2) { padding-right: 1.5rem; }
.plots td:nth-child(3), .plots th:nth-child(3) { padding-right: 0; width: 28%; }
.plots th[scope] { color: var(--text); font-size: .85rem; font-weight: 500; overflow: hidden; text-overflow: ellipsis;
  white-space: nowrap; }
.plots tr:first-child th { padding-bottom: .35rem; vertical-align: bottom; }
.plots th div { font-weight: 400; }
.plots svg { display: block; overflow: visible; width: 100%; }
.plots svg text { font-size: 11px; }
.plots .zero { stroke: var(--text); stroke-width: 1.2; }
.plots .interval { stroke: var(--series); stroke-width: 2.5; }
.plots .range { opacity: .4; stroke: var(--series); stroke-linecap: round; stroke-width: 11; }
.plots circle { fill: var(--series); }
.plots .tied { --series: var(--accent); } .plots .better { --series: var(--good); }
.plots .worse { --series: var(--bad); }

.systems th { vertical-align: bottom; } .systems .name { min-width: 5.5rem; }
.systems td:first-child, .systems th:first-child { white-space: nowrap; }
.systems .number div { display: inline-block; } .systems .number .soft { font-size: .78rem; font-weight: 400; }
.systems th.number { min-width: 4.5rem; white-space: normal; }
.systems th bdi { overflow-wrap: anywhere; }
.systems tr:has(.badge.tied) td { background: var(--card); }
.systems th button { background: none; border: 0; color: inherit; cursor: pointer; font-size: inherit;
  font-weight: inherit; height: auto; padding: 0; text-align: inherit; }
.systems th[aria-sort] button { color: var(--text); }
.matrix td.same { background: var(--line); } .matrix td.number { min-width: 4.2rem; } .matrix th[scope="row"] {
  background: var(--paper); left: 0; max-width: 13rem; min-width: 5rem; overflow: hidden; position: sticky;
  text-overflow: ellipsis; white-space: nowrap; }
.matrix.compact th, .matrix.compact td { font-size: .65rem; line-height: 1.3; min-width: 0; padding: .1rem .15rem;
  text-align: center; }
.matrix.compact td.number { min-width: 2rem; white-space: normal; }
.matrix.compact th[scope="row"] { max-width: 8rem; padding-right: .4rem; text-align: left; }

details.pair { border-top: 1px solid var(--line); padding: .5rem 0; }
details.pair > summary { font-weight: 600; overflow-wrap: anywhere; }
.chosen details.pair > summary { display: none; }
details.pair > h3 { margin: 1.25rem 0 .25rem; }
.pair .id { text-decoration: none; }
.versus { display: grid; gap: .5rem 1.5rem; grid-template-columns: 1fr 1fr; margin-top: .25rem; }
.versus .field:nth-child(n+3), .versus .ranking, .versus .pictures { grid-column: 1 / -1; }
.versus.short { grid-template-columns: repeat(3, minmax(0, 1fr)); }
.versus.short .field:nth-child(3) { grid-column: auto; }
.versus figcaption { max-width: 10rem; overflow-wrap: anywhere; }
.files td { overflow-wrap: anywhere; }
@media (max-width: 40rem) {
  details.metric { border-left: 0; border-radius: 0; border-right: 0; padding: .25rem 0; }
  .versus:not(.short) { grid-template-columns: 1fr; }
  .plots th[scope] { font-size: .7rem; line-height: 1.1; overflow-wrap: anywhere; white-space: normal; }
  .plots th[scope] bdi { -webkit-box-orient: vertical; display: -webkit-box; -webkit-line-clamp: 2; overflow: hidden; }
  .matrix th[scope="row"] { max-width: 7rem; }
  .headline .leader { font-size: 1.5rem; }
  .plots td:nth-child(2) { padding-right: .9rem; }
  .systems .number div { display: block; } .systems { font-size: .85rem; } .systems .number .soft { font-size: .68rem; }
  .systems th, .systems td { padding-left: .15rem; padding-right: .15rem; }
  .systems th.number { min-width: 0; } .systems .name { min-width: 4rem; }
  .systems .badge { background: none; border-radius: 0; color: var(--accent); padding: 0; white-space: normal; }
}
@media print { details.metric, details.pair { break-inside: auto; } .badge.tied { print-color-adjust: exact; } }
"""
