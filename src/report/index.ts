/** Reports: figures in, one HTML file, Markdown and JSON out. */
export { ratePlot } from './bar-plot.js';
export { curvePlot } from './curve-plot.js';
export { type Plot, standaloneSvg } from './draw.js';
export { histogramPlot } from './histogram.js';
export { reportHtml } from './html.js';
export { headlinesOf } from './layout.js';
export { dataTableText, plainTable } from './markdown.js';
export { metricsJson } from './metrics.js';
export { estimated, fixed, interval, number, percent } from './numbers.js';
export { checkReportPlace, reportOutputs } from './place.js';
export type * from './report-data.js';
export { type ReportFiles, writeReport } from './write.js';
