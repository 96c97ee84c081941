/**
 * Options of the library as the command line calls them. What the library says names its options; a person at a terminal
 * has flags.
 */

/** Of what is loaded; null: no command has a flag for it. */
export const LOADING_FLAGS: Readonly<Record<string, string | null>> = {
  policy: '--policy',
  models: '--models',
  modelsFolder: null,
  download: null,
  acceptLicence: '--accept-licence',
  'models.languageModel': '--language-model',
  'models.projector': '--projector',
  'models.clip': '--clip',
  'models.rewardModel': '--reward-model',
  decision: '--decision',
  'decision.guard': '--guard',
  'decision.guardProjector': '--guard-projector',
  safetyVector: '--safety-vector',
  'safetyVector.path': '--safety-vector',
  'safetyVector.scale': '--vector-scale',
  projectorPath: '--projector',
  thresholdsFile: '--thresholds',
  contextSize: '--context-size',
  conversationForm: '--conversation-form',
  cacheType: '--cache-type',
  threadCount: '--threads',
  device: '--device',
  gpuLayerCount: '--gpu-layers',
  evaluatorDevice: '--evaluator-device',
  maxPixels: '--max-pixels',
  idleUnloadMs: '--idle-unload',
  reuse: null,
  exact: '--exact',
  sequenceCount: null,
  batchSize: null,
  flashAttention: null,
  checkMemory: null,
  probe: null,
  verifyHashes: null,
  signal: null,
  onProgress: null,
  onNotice: null,
};

/** Of a server. */
const SERVING_FLAGS: Readonly<Record<string, string | null>> = {
  apiKey: '--api-key',
  allowedHosts: '--allow-host',
  allowedOrigins: '--allow-origin',
  maxQueueLength: '--queue',
  maxBodyBytes: '--max-body',
  timeoutMs: '--timeout',
  graceMs: '--grace',
  fetchPictures: '--fetch-pictures',
  lockPolicy: '--lock-policy',
  parallel: '--parallel',
  host: '--host',
  port: '--port',
  socket: '--socket',
};

/** Of one request, or of a batch of them. */
const ANSWERING_FLAGS: Readonly<Record<string, string | null>> = {
  method: '--method',
  gate: '--gate',
  candidateCount: '--n',
  firstCandidateCount: '--first-n',
  acceptAbove: '--accept-above',
  answerTemperature: '--answer-temperature',
  answerTopP: '--answer-top-p',
  temperature: '--temperature',
  topK: '--top-k',
  maxTokens: '--max-tokens',
  release: '--release',
  refusalText: '--refusal',
  safetyPrompt: '--safety-prompt',
  thresholds: null,
  'thresholds.unsafeClipScore': '--unsafe-clip-score',
  'thresholds.safeReward': '--safe-reward',
  'thresholds.unsafeDecision': '--unsafe-decision',
  'thresholds.safeDecision': '--safe-decision',
  'thresholds.lowReward': '--low-reward',
  'thresholds.lowDecision': '--low-decision',
  ladder: '--ladder',
  refusingPrefix: null,
  pictureForm: null,
  principle: null,
  principleWeight: null,
  captionPrompt: null,
  captionedPrompt: null,
  sentenceTokenLimit: null,
  sentenceEnd: null,
  whenStillUnsafe: null,
  interferencePrefix: null,
  postEvaluationPrompt: null,
  bestOfNPrompt: null,
  rewardContext: null,
  mayBeEmpty: null,
  clipWeight: null,
  externalAbove: null,
  resume: '--resume',
  overwrite: '--overwrite',
  waits: '--wait',
  retryErrors: '--retry-errors',
  keepsTrace: '--trace',
  concurrency: '--concurrency',
  seed: '--seed',
  stop: '--stop',
  repeatable: '--repeatable',
  shard: '--shard',
  map: '--map',
  imageRoot: '--image-root',
  split: '--split',
};

export const OPTION_FLAGS: Readonly<Record<string, string | null>> = {
  ...LOADING_FLAGS,
  ...SERVING_FLAGS,
  ...ANSWERING_FLAGS,
};

/** What is somebody's text, a path or a name, and not ours: it stays as it is. */
const THEIRS =
  /"(?:[^"\\]|\\.)*"|(?<=unknown (?:option|field) )'[^']*'|(?<!\bmap: )'[^']*[\\/][^']*'|[^\s"',;()]*[\\/][^\s"',;()]*/g;

/** A message beyond this is mostly somebody's text. */
const MOST_CHARACTERS = 20_000;

/**
 * A message of the library with flags in place of options. An advice, which is a sentence behind the first, is left out
 * when it names an option that the command has no flag for.
 *
 * @param flags of the command
 * @param said what the user wrote, such as a path with spaces: wherever it stands it stays as it is
 * @param table options that are looked for
 */
export function inFlags(
  message: string,
  flags: ReadonlySet<string>,
  { said = [], table = OPTION_FLAGS }: { readonly said?: readonly string[]; readonly table?: typeof OPTION_FLAGS } = {},
): string {
  if (message.length > MOST_CHARACTERS) return message;
  const quoted: string[] = [];
  const kept = (text: string) => `"${quoted.push(text) - 1}"`;
  const unsaid = [...said]
    .sort((a, b) => b.length - a.length)
    .reduce((text, one) => text.replaceAll(one, kept), message);
  const bare = unsaid.replace(THEIRS, (text) => (/^"\d+"$/.test(text) ? text : kept(text)));
  const known = (option: string) => {
    const flag = table[option] ?? null;
    return flag !== null && flags.has(flag) ? flag : null;
  };
  const pattern = optionPattern(table);
  const optionIn = ({ groups }: RegExpMatchArray) => groups?.['setting'] ?? groups?.['free'] ?? groups?.['bound'] ?? '';
  const [fact = '', ...advice] = withoutSubject(bare, table, known).split(/(?<=[.?]) (?=[A-Z'])/);
  const useful = advice.filter((sentence) =>
    [...sentence.matchAll(pattern)].every((found) => known(optionIn(found)) !== null),
  );
  return [fact, ...useful]
    .map((sentence) =>
      sentence.replace(pattern, (text) => {
        const [found] = text.matchAll(pattern);
        const flag = found === undefined ? null : known(optionIn(found));
        const value = found?.groups?.['value'] ?? found?.groups?.['boundValue'] ?? 'true';
        return flag === null ? text : value === 'true' ? flag : `${flag} ${typed(value)}`;
      }),
    )
    .join(' ')
    .replace(/"(\d+)"/g, (text, at: string) => quoted[Number(at)] ?? text)
    .replace(/"(\d+)"/g, (text, at: string) => quoted[Number(at)] ?? text); // what was said may stand in quotes
}

/** A value as a shell takes it: without quotes where it needs none. */
function typed(value: string): string {
  const bare = value.replaceAll("'", '');
  return /^[\w=,.:@%+-]*$/.test(bare) ? bare : value;
}

/** "loadEta options: contextSize: expected ..." begins with the flag, or with what is expected. */
function withoutSubject(
  message: string,
  table: Readonly<Record<string, string | null>>,
  known: (option: string) => string | null,
): string {
  const [whole = '', option = ''] = /^(?:[\w.]+ options: )?([\w.]+?)(?:\.\d+)?: /.exec(message) ?? []; // of a list the place is left out
  if (!Object.hasOwn(table, option)) return message;
  const rest = message.slice(whole.length);
  const flag = known(option);
  return flag === null ? rest.charAt(0).toUpperCase() + rest.slice(1) : `${flag}: ${rest}`;
}

/**
 * Names that are no words stand for options wherever they are, words with a value alone: `resume: true`. Settings of a
 * batch carry the policy's name before theirs.
 */
function optionPattern(table: Readonly<Record<string, string | null>>): RegExp {
  const names = Object.keys(table).sort((a, b) => b.length - a.length);
  const isName = (name: string) => /[A-Z.]/.test(name);
  const some = (found: readonly string[]) => found.map((name) => name.replace('.', '\\.')).join('|');
  const value = "'[^']*'|true|false";
  const settings = some(names.filter((name) => !name.includes('.')));
  const [free, bound] = [some(names.filter(isName)), some(names.filter((name) => !isName(name)))];
  return new RegExp(
    `(?<![\\w.])(?:policy\\.(?<setting>${settings})\\b|(?<free>${free})(?![\\w.]*\\w)(?::? (?<value>${value}))?|(?<bound>${bound}): (?<boundValue>${value}))`,
    'g',
  );
}
