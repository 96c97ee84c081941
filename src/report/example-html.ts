/** One example as HTML: the picture, the question, the answers side by side, and the rounds that led there. */
import type { StopReason } from '../types/stop-reason.js';
import type { RoundTrace } from '../types/trace.js';
import { fixed, isNumber } from './numbers.js';
import { seriesColours } from './palette.js';
import type { Example, ExampleAnswer } from './report-data.js';
import { figures, words } from './sections.js';
import { inline, plainLine, tableHtml } from './table-html.js';
import { escapeHtml, shortened } from './texts.js';

/** Characters of an answer that are printed. */
export const TEXT_LIMIT = 4000;
/** Of a question, and of a candidate. */
const SHORT_LIMIT = 1500;
const CANDIDATE_LIMIT = 16;
const ROUND_LIMIT = 40;

/** An encoded picture, as long as a large thumbnail at most. */
const PICTURE = /^data:image\/(?:png|jpeg|webp|gif);base64,[A-Za-z0-9+/]+={0,2}$/;
const PICTURE_LIMIT = 2_000_000;

export function exampleHtml(example: Example, number: number, section: string): string {
  const { kind, reason, id, category, isSensitive = true } = example;
  const where = category === null ? id : `${id}, ${category}`;
  const name = `${kind === 'worst' ? 'Worst' : 'Best'}: ${reason}`;
  const notice = isSensitive ? ' May hold harmful text and pictures.' : '';
  const summary = `${number}. ${inline(name)} <span class="quiet">(${inline(where)})${notice}</span>`;
  const anchor = `${section}-${number}`;
  return `<details class="example${isSensitive ? ' sensitive' : ''}" id="${anchor}"${isSensitive ? '' : ' open'}><summary>${summary}</summary>
<div class="asked">${pictureHtml(example)}<div><h4>Question</h4>${longText(example.question, SHORT_LIMIT)}</div></div>
<div class="answers">${example.answers.map(answerHtml).join('\n')}</div>
${example.answers.map(roundsHtml).join('')}
</details>`;
}

/** The picture when it is one: whatever else stands there is not put into the page. */
function pictureOf({ picture }: Pick<Example, 'picture'>): string | null {
  return picture !== null && picture.length <= PICTURE_LIMIT && PICTURE.test(picture) ? picture : null;
}

function pictureHtml(example: Example): string {
  const picture = pictureOf(example);
  if (picture !== null) return `<img src="${picture}" alt="The picture asked about (${plainLine(example.id)})">`;
  return `<p class="quiet">${example.picture === null ? 'No picture.' : 'The picture cannot be shown.'}</p>`;
}

const JUDGED = { safe: '✓ safe', unsafe: '✗ unsafe', unjudged: '? unjudged' } as const;

/** What ended a text that is not whole; null for one that is. */
export function cutText(stopReason: StopReason | null): string | null {
  if (stopReason === 'length') return 'cut at the most tokens';
  return stopReason === 'context' ? 'cut at the end of the context' : null;
}

function answerHtml(answer: ExampleAnswer): string {
  const { method, text, judgement, reason, action, stopReason } = answer;
  const badge = judgement === null ? '' : ` <span class="badge ${judgement}">${escapeHtml(JUDGED[judgement])}</span>`;
  const facts = [action, cutText(stopReason)].filter((fact) => fact !== null);
  const done = facts.length === 0 ? '' : ` <span class="quiet">${escapeHtml(facts.join(', '))}</span>`;
  const [colour = 'var(--rule)'] = seriesColours([method]);
  const { judgedText = null } = answer;
  const behind =
    judgedText === null
      ? ''
      : `<p class="quiet">Judged instead, not shown to the user:</p>${longText(judgedText, TEXT_LIMIT)}`;
  const why =
    reason === null || reason === '' ? '' : `<p class="quiet">Judge: ${inline(shortened(reason, 500).text)}</p>`;
  return `<div class="answer" style="border-color:${colour}"><h4>${inline(method)}${badge}${done}</h4>
${longText(text, TEXT_LIMIT)}${behind}${why}${scoresHtml(answer)}</div>`;
}

/** The text as it is, line ends kept, in one direction of its own. */
function longText(text: string, limit: number): string {
  if (text === '') return '<p class="quiet">(nothing)</p>';
  const { text: shown, cut } = shortened(text, limit);
  const rest = cut === 0 ? '' : `\n… (${cut} more characters)`;
  return `<pre dir="auto">${escapeHtml(shown)}${rest}</pre>`;
}

function scoresHtml(answer: ExampleAnswer): string {
  const { pictureScoreName = 'CLIP score', answerScoreName = 'reward' } = answer;
  const scores = [
    [pictureScoreName, answer.clipScore],
    [answerScoreName, answer.reward],
    [`${answerScoreName} after alignment`, answer.finalReward],
  ] as const;
  const told = scores.flatMap(([name, value]) => (isNumber(value) ? [`${name} ${fixed(value, 3)}`] : []));
  return told.length === 0 ? '' : `<p class="quiet">${told.join(', ')}</p>`;
}

function roundsHtml({ method, rounds, interferencePrefix, answerScoreName }: ExampleAnswer): string {
  if (rounds.length === 0) return '';
  const prefix =
    interferencePrefix === ''
      ? '<p>(end): this candidate closes the answer.</p>'
      : `<p>The search began behind “${inline(interferencePrefix)}”. (end): this candidate closes the answer.</p>`;
  const shown = rounds
    .slice(0, ROUND_LIMIT)
    .map((round) => roundHtml(round, answerScoreName))
    .join('\n');
  const left = rounds.length > ROUND_LIMIT ? `<p class="quiet">${rounds.length - ROUND_LIMIT} more rounds.</p>` : '';
  const count = `${rounds.length} ${rounds.length === 1 ? 'round' : 'rounds'}`;
  return `<details class="rounds"><summary>${inline(method)}: ${count} of the search</summary>${prefix}${shown}${left}</details>`;
}

function roundHtml({ round, candidates, chosen, undrawnCount = 0 }: RoundTrace, answerScoreName = 'reward'): string {
  const order = candidates.map((_, at) => at).sort((a, b) => Number(b === chosen) - Number(a === chosen) || a - b);
  const rows = order.slice(0, CANDIDATE_LIMIT).map((at) => {
    const candidate = candidates[at];
    if (candidate === undefined) return [];
    const { text, reward, clipScore, utility, isFinal } = candidate;
    const said = shortened(text, SHORT_LIMIT).text;
    return [
      at === chosen ? '▶ chosen' : String(at + 1),
      `${said}${isFinal ? ' (end)' : ''}`,
      fixed(reward, 3),
      fixed(clipScore, 3),
      fixed(utility, 3),
    ];
  });
  const columns = [words('candidate'), words('text'), figures(answerScoreName), figures('CLIP'), figures('utility')];
  const undrawn = undrawnCount > 0 ? `, ${undrawnCount} more not drawn` : '';
  return tableHtml({ caption: `Round ${round}: ${candidates.length} candidates${undrawn}`, columns, rows });
}
