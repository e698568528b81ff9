import { schemeVariables } from './palette.js';

/** The CSS of a page: both colour schemes, print, narrow screens. */
export function pageStyle(): string {
  const variables = (scheme: 'light' | 'dark') =>
    schemeVariables(scheme)
      .map(([name, value]) => `${name}:${value}`)
      .join(';');
  return [
    `:root{color-scheme:light dark;${variables('light')}}`,
    `@media (prefers-color-scheme:dark){:root{${variables('dark')}}}`,
    RULES,
    `@media print{:root{color-scheme:light;${variables('light')}}${PRINT}}`,
  ].join('\n');
}

const RULES = `
*{box-sizing:border-box}
html{font-size:100%;-webkit-text-size-adjust:100%}
body{margin:0;background:var(--surface);color:var(--ink);line-height:1.55;
font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif}
main,header.top,footer{max-width:69rem;margin:0 auto;padding:0 1.5rem}
header.top{padding-top:3rem}
h1{font-size:clamp(1.7rem,1.2rem + 2.2vw,2.5rem);line-height:1.15;letter-spacing:-.015em;
margin:.2rem 0 .8rem;
text-wrap:balance;overflow-wrap:anywhere}
h2{font-size:1.35rem;line-height:1.25;letter-spacing:-.01em;margin:0 0 .6rem;text-wrap:balance}
h3{font-size:1.02rem;margin:0 0 .3rem;line-height:1.35}
p,li,figcaption,.lead{max-width:61ch}
p{margin:.4rem 0}
a{color:var(--accent);text-underline-offset:.15em}
a:focus-visible,button:focus-visible,input:focus-visible,summary:focus-visible,
[tabindex]:focus-visible{
outline:3px solid var(--accent);outline-offset:2px;border-radius:3px}
code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;
font-size:.875em}
code{overflow-wrap:anywhere}
code.short{white-space:nowrap}
th code{white-space:nowrap}
.eyebrow,small,.muted,caption{color:var(--muted)}
.eyebrow{font-size:.9rem;margin:0}
.lead{font-size:1.2rem;line-height:1.5;margin:0 0 1.2rem}
.skip{position:absolute;left:-999rem}
.skip:focus{left:1rem;top:1rem;background:var(--surface);padding:.5rem 1rem;z-index:9}
nav.contents{border-block:1px solid var(--rule);margin:2rem 0 0;padding:.6rem 0}
nav.contents ul{list-style:none;display:flex;flex-wrap:wrap;gap:.1rem 1.25rem;margin:0;padding:0;
font-size:.93rem}
nav.contents a{text-decoration:none;display:inline-block;padding:.25rem 0}
nav.contents a:hover{text-decoration:underline}
section{padding:2.5rem 0 0;margin:0}
.numbers{display:grid;grid-template-columns:repeat(auto-fit,minmax(12rem,1fr));gap:1rem;
margin:1.6rem 0 0;padding:0}
.numbers>div{background:var(--raised);border-radius:.6rem;padding:1.1rem 1.25rem 1rem}
.numbers dt{font-weight:600}
.numbers dd{margin:0;color:var(--muted);font-size:.93rem;line-height:1.4}
.numbers dd.value{color:var(--ink);font-size:3.1rem;line-height:1.15;font-weight:650;
letter-spacing:-.025em;
font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
figure{margin:1.6rem 0 0;position:relative}
figure svg{display:block;width:100%;height:auto}
figure .wide{max-width:45rem}
figure.small .wide{max-width:30rem}
figure .narrow{display:none}
figcaption{margin-top:.35rem;font-size:.95rem;line-height:1.5;color:var(--muted)}
figcaption a{white-space:nowrap}
@media (min-width:62rem){
figure.beside{display:grid;grid-template-columns:45rem 1fr;column-gap:1.8rem}
figure.beside.small{grid-template-columns:30rem 1fr}
figure.beside h3{grid-column:1/-1}
figure.beside .wide{grid-column:1}
figure.beside figcaption{grid-column:2;margin-top:1.6rem;max-width:26rem}
}
.multiples{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,19.5rem),1fr));
gap:.4rem 1.6rem}
.tip{position:absolute;pointer-events:none;background:var(--surface);border:1px solid var(--rule);
border-radius:.4rem;
box-shadow:0 2px 10px rgb(0 0 0/.18);padding:.35rem .6rem;font-size:.82rem;line-height:1.4;
white-space:nowrap;z-index:5;
font-variant-numeric:tabular-nums;max-width:100%;overflow:hidden;text-overflow:ellipsis}
.scroll{overflow-x:auto;margin:1rem 0 0;max-width:100%;
--edge:color-mix(in srgb,var(--muted) 35%,transparent);background:
linear-gradient(90deg,var(--surface) 40%,transparent) 0 0/3rem 100% no-repeat local,
linear-gradient(-90deg,var(--surface) 40%,transparent) 100% 0/3rem 100% no-repeat local,
linear-gradient(90deg,var(--edge),transparent) 0 0/.6rem 100% no-repeat,
linear-gradient(-90deg,var(--edge),transparent) 100% 0/.6rem 100% no-repeat}
table{border-collapse:collapse;font-size:.93rem;line-height:1.4;min-width:min(100%,30rem)}
caption{text-align:left;padding:0 0 .5rem;font-size:.9rem;max-width:calc(100vw - 2.5rem)}
th,td{text-align:left;vertical-align:top;padding:.5rem 1.1rem .5rem .6rem;
border-bottom:1px solid var(--rule);font-weight:400}
thead th{font-weight:600;vertical-align:bottom;border-bottom:2px solid var(--muted);
min-width:4.5rem}
tbody th{min-width:9rem}
tbody th.number{min-width:0}
tbody th small{max-width:20rem}
td.number small{max-width:9.5rem;margin-left:auto}
td.number,th.number{text-align:right;font-variant-numeric:tabular-nums;
padding:.5rem .6rem .5rem 1.1rem}
td.number{white-space:nowrap}
td small,th small{display:block;white-space:normal;font-size:.8rem;line-height:1.35;
font-weight:400;text-wrap:balance}
tr.ours>*{background:var(--raised)}
tr.ours>th{font-weight:650}
.missing{color:var(--muted);font-style:italic;white-space:normal}
th button{all:unset;cursor:pointer;border-radius:3px}
th[aria-sort=ascending] button::before{content:"↑ "}
th[aria-sort=descending] button::before{content:"↓ "}
th button:hover{text-decoration:underline;text-underline-offset:.2em}
button.copy,.pages button,.filter input{font:inherit;font-size:.93rem;color:var(--ink);
background:var(--surface);
border:1px solid var(--muted);border-radius:.4rem;padding:.35rem .8rem}
button.copy,.pages button{cursor:pointer}
button.copy:hover,.pages button:hover{background:var(--raised)}
.pages button:disabled{color:var(--muted);cursor:default;background:none}
.pages{display:flex;flex-wrap:wrap;gap:.4rem .8rem;align-items:center;margin:.8rem 0 0}
.filter{display:flex;flex-wrap:wrap;gap:.4rem .8rem;align-items:center;margin:.8rem 0 0}
.filter input{width:18rem;max-width:100%}
[hidden]{display:none!important}
.examples{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr));
gap:0 2.5rem;align-items:start}
.examples ol{list-style:none;margin:0;padding:0}
.examples h3{margin:1.4rem 0 .2rem}
.examples li{padding:.75rem 0;border-top:1px solid var(--rule);overflow-wrap:anywhere}
.examples .verdict{font-weight:650}
.examples .right .verdict{color:var(--good)}
.examples .wrong .verdict{color:var(--bad)}
.examples dl{display:grid;grid-template-columns:max-content 1fr;gap:.05rem .8rem;margin:.25rem 0 0;
font-size:.93rem}
.examples dt,.facts dt{color:var(--muted)}
.examples dd{margin:0}
pre{background:var(--raised);border-radius:.4rem;padding:.8rem 1rem;margin:.6rem 0;
white-space:pre-wrap;overflow-wrap:anywhere;max-width:100%}
details{margin:.8rem 0 0}
summary{cursor:pointer;color:var(--accent)}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(10rem,1fr));gap:.8rem 2rem;
margin:.8rem 0 0}
.facts dd{margin:0;font-size:1.15rem;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
td.block{min-width:15rem;max-width:30rem}
td.block pre{margin:0;padding:.35rem .6rem}
td.block details{margin:.3rem 0 0}
ul.warnings{padding:0;list-style:none;margin:.6rem 0 0}
ul.warnings li{border-left:4px solid var(--bad);background:var(--raised);padding:.5rem .9rem;
margin:.5rem 0;overflow-wrap:anywhere}
footer{color:var(--muted);font-size:.88rem;padding:3rem 1.5rem 2.5rem}
@media (max-width:42rem){
main,header.top,footer{padding-inline:1rem}
header.top{padding-top:1.6rem}
.lead{font-size:1.08rem}
section{padding-top:2rem}
figure .wide{display:none}figure .narrow{display:block}
.numbers{grid-template-columns:1fr;gap:.6rem}
.numbers>div{padding:.7rem 1rem;display:grid;grid-template-columns:minmax(8.2rem,max-content) 1fr;
align-items:center;column-gap:.8rem}
.numbers dt{grid-column:1/-1}
.numbers dd{grid-column:2}
.numbers dd.value{font-size:2.6rem;grid-column:1;grid-row:2/span 2}
td.number small.interval{min-width:8.7rem}
table.stack,table.stack tbody,table.stack tr,table.stack td,table.stack th{display:block;
min-width:0}
table.stack thead{display:none}
table.stack tr{display:grid;column-gap:.7rem;border-bottom:1px solid var(--rule);padding:.55rem 0;
grid-template-columns:fit-content(9.5rem) minmax(0,max-content) 1fr}
table.stack tr>*{grid-column:1/-1}
table.stack th code{white-space:normal}
table.stack tbody th{font-weight:600}
table.stack th[data-label]::before{content:attr(data-label) " "}
table.stack td,table.stack th{border:0;padding:0;text-align:left;white-space:normal;
overflow-wrap:anywhere}
table.stack caption{display:block}
table.stack td:not(.number)>*,table.stack td.number>.missing{grid-column:2/-1}
table.stack td.number>small{grid-column:3;max-width:none;min-width:0;margin:0;
overflow-wrap:break-word}
table.stack tr.ours{padding:.55rem .7rem;border-radius:.4rem}
table.stack tr.ours,table.stack tr.ours>*{background:var(--raised)}
table.stack td{display:grid;grid-template-columns:5.6rem minmax(0,max-content) 1fr;
grid-template-columns:subgrid;column-gap:.7rem;align-items:baseline;padding:.1rem 0}
table.stack td:empty{display:none}
table.stack td.block{grid-template-columns:minmax(0,1fr);max-width:none}
table.stack td.block>*{grid-column:1}
table.stack td[data-label]::before{content:attr(data-label);color:var(--muted)}
}`.trim();

const PRINT = `
body{font-size:10.5pt}
details:not([open])::details-content{content-visibility:visible}
nav.contents,.filter,.pages,button.copy,.skip,figcaption a{display:none}
.examples{grid-template-columns:1fr 1fr}
section{padding-top:1.2rem;break-inside:auto}
figure,.numbers>div,.examples li,tr{break-inside:avoid}
h2,h3{break-after:avoid}
.scroll{overflow:visible;background:none}
table{font-size:.8rem}
th,td,th.number,td.number{padding:.3rem .35rem}
thead th,tbody th{min-width:0}
tbody tr[hidden]{display:table-row!important}
.numbers>div,tr.ours>*,pre{border:1px solid #888;background:none}`.trim();
