"""CSS style sheet of the report, which is embedded in the page."""

STYLE = """
:root { --ink: #1f2933; --quiet: #65727f; --line: #e3e8ed; --blue: #0072b2;
  --orange: #b84a00; --red: #a11d21; --page: #f6f8fa; --paper: #fff; --code: #f0f3f6;
  --notice: #fff4ec; --edge: #f3c9a8; color-scheme: light dark }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e9ee; --quiet: #a4b0bc; --line: #37424d; --blue: #6cbcea;
    --orange: #f0924c; --red: #ff8f87; --page: #12171c; --paper: #1c242b; --code: #2b353f;
    --notice: #38291b; --edge: #7a5632 }
  img { background: #fff; border-radius: 6px }
}
* { box-sizing: border-box }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif }
main { max-width: 980px; margin: 0 auto; padding: 28px 20px 60px }
h1 { font-size: 26px; line-height: 1.25; margin: 0 0 4px }
h2 { font-size: 18px; margin: 0 0 10px }
h3 { font-size: 15px; margin: 16px 0 6px }
.lead { color: var(--quiet); margin: 0 0 18px }
section { background: var(--paper); border: 1px solid var(--line); border-radius: 10px;
  padding: 20px 22px; margin: 16px 0 }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(230px, 1fr)); gap: 12px }
.card { background: var(--paper); border: 1px solid var(--line); border-radius: 10px; padding: 14px 16px }
.card b { display: block; font-size: 22px; line-height: 1.25; margin: 2px 0;
  overflow-wrap: anywhere }
.card span { color: var(--quiet); font-size: 13px }
.card .note { display: block; margin: 3px 0 }
.alarm, .card .note.alarm { color: var(--red); font-weight: 600 }
.card.true b { color: var(--orange) }
.notice { background: var(--notice); border: 1px solid var(--edge); border-radius: 8px;
  padding: 9px 14px; margin: 12px 0 }
.scroll { overflow-x: auto }
table { border-collapse: collapse; width: 100%; font-size: 13px; margin: 8px 0;
  font-variant-numeric: tabular-nums }
th { text-align: left; color: var(--quiet); font-weight: 600;
  border-bottom: 2px solid var(--line); padding: 5px 10px 5px 0 }
td { border-bottom: 1px solid var(--line); padding: 5px 10px 5px 0; vertical-align: top;
  overflow-wrap: break-word }
td:first-child { min-width: 90px }
img { display: block; max-width: 100%; height: auto; margin: 8px auto }
summary { cursor: pointer; color: var(--blue); margin: 8px 0 }
p { margin: 8px 0 }
.small { color: var(--quiet); font-size: 13px }
code { font: 13px ui-monospace, monospace; background: var(--code); padding: 1px 4px;
  border-radius: 4px; overflow-wrap: anywhere }
@media (max-width: 640px) {  /* pictures keep letters that can be read, and are scrolled */
  section { overflow-x: auto; padding: 14px }
  section > img, details > img { max-width: max(100%, 600px) }
}
.eq { font-family: Georgia, serif; font-style: italic; margin: 8px 0 8px 18px }
"""
