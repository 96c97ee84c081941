/** `eta-vlm models remove`: a name of one's own, or the files of models that were fetched. */
import { ModelError, UsageError } from '../../errors.js';
import { hubSettings, removeFiles } from '../../hub/index.js';
import { type ModelPlan, planHere, publishedIn, publishedSets } from '../../models/index.js';
import { describePath } from '../../options.js';
import { canAsk, confirm } from '../../terminal/confirm.js';
import { EXIT } from '../../terminal/failure.js';
import { print } from '../../terminal/print.js';
import { size } from '../../terminal/size.js';
import { changeConfig, readConfig } from '../config/config-file.js';

export interface RemoveOptions {
  readonly yes?: boolean;
}

/** A name of one's own goes, and its files stay; of what was fetched, the files go. @throws UsageError, ModelError */
export async function removeModelSet(
  name: string,
  { yes = false }: RemoveOptions,
  signal: AbortSignal,
): Promise<number> {
  const { added } = readConfig();
  if (Object.hasOwn(added, name)) {
    await changeConfig((config) => withoutName(config, name));
    print(`${name} is no name any more. Its files stay where they are.\n`);
    return EXIT.ok;
  }
  const [published] = await publishedIn(name);
  if (published === undefined) {
    const removable = [...Object.keys(added), ...(await publishedSets()).map((set) => set.name)];
    throw new ModelError(
      'ERR_MODEL_NOT_FOUND',
      `Expected a name that was added, or models that were fetched (${removable.join(', ')}, hf:owner/name), received ${JSON.stringify(name)}. Check the name.`,
    );
  }
  const { folder } = hubSettings();
  const plan = await planHere(published, folder);
  const kept = await keptPaths(name, folder);
  const going = plan.parts.map(({ listing, files }) => ({
    listing,
    files: files.filter(({ path }) => !kept.has(`${listing.repo}@${listing.commit}/${path}`)),
  }));
  await agree(going, folder, { yes, signal });
  let byteCount = 0;
  for (const { listing, files } of going) byteCount += await removeFiles(folder, listing, files);
  await changeConfig((config) => withoutName(config, name));
  print(`${size(byteCount)} are free again.${kept.size > 0 ? ' What other sets need stays.' : ''}\n`);
  return EXIT.ok;
}

type Going = readonly Pick<ModelPlan['parts'][number], 'listing' | 'files'>[];

async function agree(
  going: Going,
  folder: string,
  { yes, signal }: { readonly yes: boolean; readonly signal: AbortSignal },
): Promise<void> {
  if (yes) return;
  const repos = [...new Set(going.map(({ listing }) => listing.repo))].join(', ');
  const question = `Remove files of ${repos} from ${folder}, which other programs may use too?`;
  if (canAsk() && (await confirm(question, signal))) return;
  throw new UsageError(
    'ERR_INVALID_OPTION',
    `Expected consent to remove files of ${repos} from ${describePath(folder)}, which other programs may use too, received none. Nothing was removed: add --yes.`,
  );
}

/** What the other sets that are here need. */
async function keptPaths(name: string, folder: string): Promise<ReadonlySet<string>> {
  const kept = new Set<string>();
  for (const set of await publishedSets()) {
    if (set.name === name) continue;
    const plan = await planHere(set, folder).catch((error: unknown) => {
      if (error instanceof ModelError) return null; // it is not here
      throw error;
    });
    for (const { listing, files } of plan?.parts ?? [])
      for (const { path } of files) kept.add(`${listing.repo}@${listing.commit}/${path}`);
  }
  return kept;
}

function withoutName({ models, added, ...config }: ReturnType<typeof readConfig>, name: string) {
  const { [name]: _gone, ...others } = added;
  return { ...config, ...(models === name || models === undefined ? {} : { models }), added: others };
}
