/** The repository's pages, and whatever they link to, laid out for VitePress as they lie in the repository. */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, extname, join, posix } from 'node:path';
import { withLinks } from './links.mjs';

const FIRST = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md'];
const PICTURES = ['.png', '.jpg', '.svg', '.webp'];
/**
 * How files with a rare ending are coloured.
 *
 * @type {Readonly<Record<string, string>>}
 */
const LANGUAGES = { '.mjs': 'js', '.cjs': 'js', '.sbatch': 'sh' };

/**
 * Copies the pages from `root` to `target`: first README, docs and what stands beside them, then everything that these
 * link to. A README is the index of its folder; a file that is no page becomes one that shows it; a folder one that lists
 * its files.
 *
 * @param {string} root
 * @param {string} target
 */
export function layOut(root, target) {
  const todo = [
    ...FIRST,
    ...readdirSync(join(root, 'docs')).flatMap((name) => (name.endsWith('.md') ? [`docs/${name}`] : [])),
  ];
  const seen = new Set(todo);
  const put = (/** @type {string} */ path, /** @type {string} */ text) => {
    mkdirSync(dirname(join(target, path)), { recursive: true });
    writeFileSync(join(target, path), text);
  };
  for (const path of todo) {
    const place = join(root, path);
    const follow = (/** @type {string} */ link) => {
      if (/^[a-z]+:|^#/.test(link)) return link;
      const [file = '', anchor] = link.split('#');
      const linked = posix.join(posix.dirname(path), decodeURI(file));
      if (!existsSync(join(root, linked))) throw new Error(`${path} links to ${link}, which is not there.`);
      if (!seen.has(linked)) todo.push(linked);
      seen.add(linked);
      const page = pageOf(root, linked);
      const relative = posix.relative(posix.dirname(pageOf(root, path)), page);
      return `${relative.startsWith('.') ? relative : `./${relative}`}${anchor === undefined ? '' : `#${anchor}`}`;
    };
    if (statSync(place).isDirectory()) put(pageOf(root, path), withLinks(folderPage(place, path), follow));
    else if (path.endsWith('.md')) put(pageOf(root, path), withLinks(readFileSync(place, 'utf8'), follow));
    else if (PICTURES.includes(extname(path))) {
      mkdirSync(dirname(join(target, path)), { recursive: true });
      copyFileSync(place, join(target, path));
    } else put(pageOf(root, path), filePage(path, readFileSync(place, 'utf8')));
  }
}

/**
 * Where a path of the repository is found on the site.
 *
 * @param {string} root
 * @param {string} path
 */
function pageOf(root, path) {
  if (PICTURES.includes(extname(path))) return path;
  if (statSync(join(root, path)).isDirectory()) return posix.join(path, 'index.md');
  if (posix.basename(path) === 'README.md') return posix.join(posix.dirname(path), 'index.md');
  return path.endsWith('.md') ? path : `${path}.md`;
}

/** @param {string} place @param {string} path */
function folderPage(place, path) {
  const files = readdirSync(place, { withFileTypes: true })
    .filter((entry) => entry.isFile() && !PICTURES.includes(extname(entry.name)))
    .map(({ name }) => `- [${name}](${posix.basename(path)}/${name})`);
  return `# ${path}\n\n${files.join('\n')}\n`;
}

/** @param {string} path @param {string} text */
function filePage(path, text) {
  const language = LANGUAGES[extname(path)] ?? (extname(path).slice(1) || 'txt');
  return `# ${path}\n\n\`\`\`\`${language}\n${text.trimEnd()}\n\`\`\`\`\n`;
}
