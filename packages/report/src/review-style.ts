/** The CSS that a review page has beside that of every page. */
export const reviewStyle = `
.bar{position:sticky;top:0;z-index:4;background:var(--surface);border-bottom:1px solid var(--rule)}
.bar>div{max-width:69rem;margin:0 auto;padding:.6rem 1.5rem;display:flex;flex-wrap:wrap;
gap:.5rem 1.2rem;align-items:center;font-size:.93rem}
.bar progress{width:9rem;height:.7rem;accent-color:var(--accent)}
.bar output{font-variant-numeric:tabular-nums;min-width:11rem}
.bar button,.decide input[type=text]{font:inherit;color:var(--ink);background:var(--surface);
border:1px solid var(--muted);border-radius:.4rem;padding:.3rem .8rem}
.bar button{cursor:pointer}
.bar button:hover{background:var(--raised)}
kbd{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;
font-size:.82em;border:1px solid var(--muted);border-radius:.25rem;padding:0 .35em}
.keys{color:var(--muted);font-size:.93rem}
ol.review{list-style:none;margin:1.4rem 0 0;padding:0}
ol.review>li{max-width:none;border:1px solid var(--rule);border-left:5px solid var(--rule);
border-radius:.5rem;padding:1rem 1.2rem;margin:0 0 1rem;scroll-margin-top:5rem;
overflow-wrap:anywhere}
ol.review>li:focus{outline:3px solid var(--accent);outline-offset:1px}
ol.review>li[data-decision]:not([data-decision=""]){border-left-color:var(--accent);
background:var(--raised)}
.review h3{display:flex;flex-wrap:wrap;gap:0 .6rem;align-items:baseline;font-size:1.15rem}
.review h3 .number,.review h3 .equals{color:var(--muted);font-weight:400}
.review .names{display:grid;grid-template-columns:max-content 1fr;gap:0 .8rem;margin:.1rem 0 .5rem;
font-size:.88rem}
.review .names dt,.review .measures dt{color:var(--muted)}
.review .names dd{margin:0}
.review .why{margin:.3rem 0 .5rem}
.review .measures{display:flex;flex-wrap:wrap;gap:.1rem 1.8rem;margin:0;font-size:.93rem}
.review .measures>div{display:flex;gap:.45rem}
.review .measures dd{margin:0;font-variant-numeric:tabular-nums}
.review pre{font-size:.8rem;overflow-x:auto;white-space:pre;overflow-wrap:normal}
.decide{border:0;margin:.8rem 0 0;padding:0;display:flex;flex-wrap:wrap;gap:.4rem 1.3rem;
align-items:center}
.decide legend{float:left;padding:0;margin-right:1.3rem;font-weight:600}
.decide label{display:inline-flex;gap:.4rem;align-items:center;cursor:pointer}
.decide input[type=text]{width:17rem;max-width:100%}
@media (max-width:42rem){
.bar>div{padding-inline:1rem}
.review .names{grid-template-columns:1fr}
.decide legend{float:none;width:100%}
}
@media print{.bar,.decide,.keys{display:none}ol.review>li{break-inside:avoid}}
`.trim();
