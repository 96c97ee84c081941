/** The API reference: one page for each export, made of the comments in the sources. What has none ends it. */
import { join } from 'node:path';
import { Application, TSConfigReader } from 'typedoc';

/** What package.json exports, and what it is called there. */
const ENTRIES = { 'eta-vlm': 'index', engine: 'engine/index', batch: 'batch/index', server: 'server/index' };

/**
 * @param {string} root of the repository, in which `npm ci` was run
 * @param {string} target folder for the pages
 * @param {Readonly<Record<string, string>>} [entries] names of entries and their files
 * @returns {Promise<boolean>} whether everything public has its comment, and every type that is spoken of its page
 */
export async function writeApi(root, target, entries = ENTRIES) {
  const application = await Application.bootstrapWithPlugins(
    {
      name: 'API',
      entryPoints: Object.values(entries).map((path) => join(root, 'src', `${path}.ts`)),
      tsconfig: join(root, 'tsconfig.json'),
      plugin: ['typedoc-plugin-markdown', 'typedoc-vitepress-theme'],
      readme: 'none',
      disableSources: true,
      excludePrivate: true,
      excludeInternal: true,
      excludeExternals: true,
      validation: { notDocumented: true, notExported: false, invalidLink: true, rewrittenLink: true },
      treatValidationWarningsAsErrors: true,
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
    const name = Object.entries(entries).find(([, path]) => `${child.name}` === path.replace(/\/index$/, ''))?.[0];
    if (name !== undefined) child.name = name === 'eta-vlm' ? name : `eta-vlm/${name}`;
  }
  application.validate(project);
  if (application.logger.hasErrors() || application.logger.hasWarnings()) return false;
  await application.generateOutputs(project);
  return !application.logger.hasErrors() && !application.logger.hasWarnings();
}
