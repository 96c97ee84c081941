/** `eta-vlm config`: what counts where a command says nothing, and from where. */
import { existsSync } from 'node:fs';
import { hubSettings } from '../../hub/index.js';
import { EXIT } from '../../terminal/failure.js';
import { columnsOf, labelled } from '../../terminal/paint.js';
import { print } from '../../terminal/print.js';
import { chosenModels } from '../chosen-models.js';
import { configPath, readConfig } from './config-file.js';

export interface ConfigOptions {
  readonly json?: boolean;
}

const LABEL_WIDTH = 16;
const DEFAULT = 'default';

/** Prints to stdout. @throws FileError for a file of choices that cannot be read; UsageError for variables that say nothing */
export function showConfig({ json = false }: ConfigOptions): number {
  const path = configPath();
  const { policy, added } = readConfig(path);
  const { name, source } = chosenModels();
  const { folder, endpoint, token, isOffline } = hubSettings();
  const facts = {
    file: { path, isThere: existsSync(path) },
    models: { value: name ?? 'miniature', source },
    policy: { value: policy ?? 'standard', source: policy === undefined ? DEFAULT : path },
    added,
    modelsFolder: { value: folder, source: setBy(['LLAMA_CACHE', 'HF_HUB_CACHE', 'HF_HOME', 'XDG_CACHE_HOME']) },
    hub: { value: endpoint.href, source: setBy(['HF_ENDPOINT']) },
    token: { isSet: token !== null, source: setBy(['HF_TOKEN']) },
    isOffline: { value: isOffline, source: setBy(['HF_HUB_OFFLINE']) },
  };
  const columns = columnsOf(process.stdout);
  const say = (label: string, text: string) => labelled(label, text, { labelWidth: LABEL_WIDTH, columns });
  const from = ({ value, source: by }: { readonly value: string | boolean; readonly source: string }) =>
    `${value} (${by})`;
  const lines = [
    ...say('file', `${path}${facts.file.isThere ? '' : ', not there: the defaults hold'}`),
    ...say('models', from(facts.models)),
    ...say('policy', from(facts.policy)),
    ...Object.entries(added).flatMap(([own, choice]) =>
      say('added', `${own}: ${typeof choice === 'string' ? choice : Object.values(choice).join(', ')}`),
    ),
    ...say('models folder', from(facts.modelsFolder)),
    ...say('hub', `${from(facts.hub)}${isOffline ? ', offline' : ''}`),
    ...say('token', token === null ? 'none' : `set (${facts.token.source}), sent to the hub's own host alone`),
  ];
  print(`${json ? JSON.stringify(facts) : lines.join('\n')}\n`);
  return EXIT.ok;
}

/** The first variable that says something. */
function setBy(names: readonly string[]): string {
  return names.find((name) => (process.env[name] ?? '').trim() !== '') ?? DEFAULT;
}
