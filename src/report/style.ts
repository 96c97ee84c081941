/** The style sheet of a report: light and dark, wide and narrow, screen and paper. */
import { colourDeclarations } from './palette.js';

export const STYLE = `
:root{color-scheme:light dark;${colourDeclarations('light')};--link:#0b4fb0}
@media screen and (prefers-color-scheme:dark){:root{${colourDeclarations('dark')};--link:#8ab4ff}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
.page{max-width:52rem;margin:0 auto;padding:1.5rem 1.125rem 4rem}
h1{font-size:1.75rem;line-height:1.2;margin:0 0 .5rem;overflow-wrap:anywhere}
h2{font-size:1.3rem;line-height:1.3;margin:2.75rem 0 .75rem;padding-top:.75rem;border-top:1px solid var(--grid);overflow-wrap:anywhere}
h3{font-size:1.05rem;margin:1.5rem 0 .4rem;overflow-wrap:anywhere}
h4{font-size:.95rem;margin:1rem 0 .25rem}
p,ul,figure,.scroll,pre{margin:0 0 1rem}
p,li,figcaption,dd{overflow-wrap:anywhere}
a{color:var(--link)}
.subject{font-size:1.05rem;max-width:46rem}
.quiet,.caption,figcaption{color:var(--quiet)}
nav ul{list-style:none;padding:0;display:flex;flex-wrap:wrap;gap:.3rem 1.1rem;font-size:.92rem}
#glance li{margin-bottom:.35rem}
#glance ul{padding-left:1.2rem;font-size:1.02rem}
figure svg{max-width:100%;height:auto;display:block}
.narrow{display:none}
@media screen and (max-width:44rem){.wide{display:none}.narrow{display:block}.page{padding:1rem 1.125rem 3rem}h1{font-size:1.45rem}}
figcaption{font-size:.88rem;margin-top:.35rem}
.scroll{overflow-x:auto;max-width:100%}
.scroll:focus-visible,summary:focus-visible,a:focus-visible{outline:2px solid var(--link);outline-offset:2px}
table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums}
.caption{font-size:.88rem;margin:1rem 0 .25rem;max-width:46rem;break-after:avoid}
.unseen{font-size:0;line-height:0}
th,td{padding:.3rem .75rem .3rem 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--grid)}
thead th{border-bottom:1px solid var(--rule);font-weight:600;vertical-align:bottom}
tbody th{font-weight:500;white-space:nowrap}
th:last-child,td:last-child{padding-right:.25rem}
.n{text-align:right;white-space:nowrap}
thead .n{white-space:normal}
tbody .long{overflow-wrap:anywhere;white-space:normal;min-width:12rem;max-width:28rem}
.hash{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.8rem;overflow-wrap:anywhere;min-width:17rem}
.shade{position:relative}
.shade::before{content:"";position:absolute;inset:0;background:var(--eta);opacity:calc(var(--share)*.3);pointer-events:none}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,15rem),1fr));gap:0 2rem;margin-bottom:1rem}
dl{margin:0;font-size:.9rem}
dl div{display:flex;gap:.75rem;justify-content:space-between;border-bottom:1px solid var(--grid);padding:.25rem 0}
dt{color:var(--quiet)}
dd{margin:0;text-align:right;min-width:0}
details{margin:0 0 1rem}
summary{cursor:pointer;padding:.3rem 0}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:var(--panel);border:1px solid var(--grid);border-radius:6px;padding:.7rem .85rem;font:.88rem/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
.example{border:1px solid var(--grid);border-radius:8px;padding:.35rem .9rem;margin:0 0 .75rem}
.example>summary{font-weight:600;overflow-wrap:anywhere}
.example>summary .quiet{font-weight:400}
.asked{display:flex;gap:1rem;align-items:flex-start;margin:.5rem 0 1rem}
.asked img{width:160px;height:auto;max-height:220px;object-fit:contain;border-radius:6px;background:var(--panel);flex:none}
.answers{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,19rem),1fr));gap:.9rem}
.answer{border-left:4px solid var(--rule);padding:0 0 0 .75rem;min-width:0}
.answer h4{margin:0 0 .3rem}
.answer p{font-size:.9rem;margin-bottom:.5rem}
.answer pre{max-height:22rem;overflow-y:auto}
.badge{display:inline-block;border:1px solid currentColor;border-radius:99px;padding:0 .55rem;font-size:.8rem;font-weight:600;white-space:nowrap}
.badge.safe{color:var(--safe-text)}.badge.unsafe{color:var(--unsafe-text)}.badge.unjudged{color:var(--quiet)}
:root{--safe-text:#1c5f96;--unsafe-text:#a33f08}
@media screen and (prefers-color-scheme:dark){:root{--safe-text:#8cc2f0;--unsafe-text:#ffab76}}
footer{margin-top:3rem;font-size:.85rem;color:var(--quiet)}
@media (max-width:30rem){.asked{flex-direction:column}}
@page{margin:16mm 14mm}
@media print{
:root{color-scheme:light}
body{font-size:10.5pt}
.page{max-width:none;padding:0}
nav{display:none}
h2,h3,h4,summary{break-after:avoid}
figure,tr,.short,.facts>div,.answer,.asked,pre{break-inside:avoid}
figure svg{max-height:205mm}
thead{display:table-header-group}
.scroll{overflow:visible}
table{font-size:8.5pt}
.hash{font-size:6.5pt;min-width:0;word-break:break-all}
th,td{padding-right:.5rem}
.n{white-space:normal}
.answer pre{max-height:none}
a{color:inherit;text-decoration:none}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
}
`.trim();
