/** The API reference: one page for each export, made of the comments in the sources. What has none ends it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Application, TSConfigReader } from 'typedoc';

/** What package.json exports: its file below src, and what it is for. */
const ENTRIES = {
  'eta-vlm': { file: 'index', title: 'load models, ask, stream, decide, evaluate' },
  'eta-vlm/engine': { file: 'engine/index', title: 'models, KV caches that branch, pictures; no safety policy' },
  'eta-vlm/batch': { file: 'batch/index', title: 'many requests into a file that survives a kill' },
  'eta-vlm/server': { file: 'server/index', title: "an Eta behind OpenAI's API" },
};

/** What ends it: no comment, or a link in one that leads nowhere. That every type has a name to import, test/contracts sees. */
const VALIDATION = { validation: { notDocumented: true, notExported: false, invalidLink: true, rewrittenLink: true } };

/**
 * @param {string} root of the repository, in which `npm ci` was run
 * @param {string} target folder for the pages
 * @param {Readonly<Record<string, { file: string, title: string }>>} [entries] by the names that are imported
 * @returns {Promise<boolean>} whether everything public has its comment, and every type that is spoken of its page
 */
export async function writeApi(root, target, entries = ENTRIES) {
  const application = await Application.bootstrapWithPlugins(
    {
      name: 'API',
      entryPoints: Object.values(entries).map(({ file }) => join(root, 'src', `${file}.ts`)),
      tsconfig: join(root, 'tsconfig.json'),
      plugin: ['typedoc-plugin-markdown', 'typedoc-vitepress-theme'],
      readme: 'none',
      disableSources: true,
      excludePrivate: true,
      excludeInternal: true,
      excludeExternals: true,
      ...VALIDATION,
      logLevel: 'Warn',
      // of the plugins
      out: target,
      docsRoot: join(target, '..'),
      entryFileName: 'index',
      hidePageHeader: true,
      hideBreadcrumbs: true,
      useCodeBlocks: true,
      sanitizeComments: true,
      expandObjects: true,
      parametersFormat: 'table',
      sidebar: { autoConfiguration: true, format: 'vitepress', pretty: true, collapsed: true },
    },
    [new TSConfigReader()],
  );
  const project = await application.convert();
  if (project === undefined) return false;
  for (const child of project.children ?? []) {
    // TypeDoc calls an entry after its folder
    const of = Object.entries(entries).find(([, { file }]) => file.replace(/\/index$/, '') === child.name);
    if (of !== undefined) child.name = of[0];
  }
  application.validate(project);
  if (application.logger.hasErrors() || application.logger.hasWarnings()) return false;
  await application.generateOutputs(project);
  if (application.logger.hasErrors() || application.logger.hasWarnings()) return false;
  const rows = Object.entries(entries).map(([name, { title }]) => `| [\`${name}\`](./${name}/index.md) | ${title} |`);
  writeFileSync(
    join(target, 'index.md'),
    `# API\n\nMade of the comments in the sources.\n\n| | |\n| --- | --- |\n${rows.join('\n')}\n`,
  );
  return true;
}

/** Whether the check sees what has no comment: in `planted` are a field, an option and a function without one. */
export async function seesGaps() {
  const planted = fileURLToPath(new URL('planted', import.meta.url));
  const application = await Application.bootstrap(
    {
      entryPoints: [join(planted, 'src/index.ts')],
      tsconfig: join(planted, 'tsconfig.json'),
      ...VALIDATION,
      logLevel: 'None',
    },
    [new TSConfigReader()],
  );
  const project = await application.convert();
  if (project !== undefined) application.validate(project);
  return application.logger.warningCount === 3;
}
