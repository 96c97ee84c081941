/**
 * Writes start/licences.txt: what the app is made of, each part with its licence, for whoever gets the app. The scripts of
 * package.json run it before they start the app and, once the packages are pruned, before they pack it: `node licences.mjs`.
 * The app shows it from its menu.
 */
import { existsSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const TEXTS = /^(licen[cs]e|notice|copying|third-?party)/i;

/** Packages that hold libvips: on Windows sharp's own does. */
const LIBVIPS = /^@img\/sharp-libvips-/;
const WINDOWS_SHARP = /^@img\/sharp-win32-/;

/**
 * @param {string} folder of packages
 * @param {Set<string>} seen real folders, as links may lead round
 * @returns {string[]} the folder of each, those of scopes and those within packages too
 */
function packagesIn(folder, seen = new Set()) {
  const names = readdirSync(folder).filter((name) => !name.startsWith('.'));
  return names.flatMap((name) => {
    const place = join(folder, name);
    if (name.startsWith('@')) return packagesIn(place, seen);
    const real = realpathSync(place);
    if (seen.has(real)) return [];
    seen.add(real);
    const within = join(place, 'node_modules');
    return [place, ...(existsSync(within) ? packagesIn(within, seen) : [])];
  });
}

/** @param {string} folder of a package @returns {string} what is to be told of it; nothing of what is none */
function told(folder) {
  let manifest;
  try {
    manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  } catch {
    return '';
  }
  const { name, version, license = 'no licence named' } = manifest;
  const texts = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && TEXTS.test(entry.name))
    .map((entry) => readFileSync(join(folder, entry.name), 'utf8').trim());
  const source = sourceOfLibvips(name, version);
  const own = source === null ? [] : [libvips(name, source)];
  return [`${name} ${version}: ${license}`, ...own, ...texts].join('\n\n');
}

/** @param {string} name @param {string} version @returns {string | null} null of a package that does not hold it */
function sourceOfLibvips(name, version) {
  if (LIBVIPS.test(name)) return `https://github.com/lovell/sharp-libvips/tree/v${version}`;
  if (!WINDOWS_SHARP.test(name)) return null;
  return `https://github.com/lovell/sharp/tree/v${version},
whose package.json names the version of https://github.com/lovell/sharp-libvips that they were built with`;
}

/** What LGPL asks to be said beside its text. @param {string} name @param {string} source */
function libvips(name, source) {
  return `This app uses libvips and the libraries in it under the GNU Lesser General Public License, version 3 or later. They
lie in ${name}, as a library of their own: you may change it and put yours in its place, and look into
this app as far as that needs. Their source: ${source}`;
}

const here = import.meta.dirname;
const texts = packagesIn(join(here, 'node_modules'))
  .map(told)
  .filter((text) => text !== '');
const parts = new Set(texts); // one version may lie in several places
const gnu = ['LGPL-3.0', 'GPL-3.0'].map((name) =>
  readFileSync(join(here, 'licence-texts', `${name}.txt`), 'utf8').trim(),
);
const line = `\n\n${'-'.repeat(72)}\n\n`;
writeFileSync(join(here, 'start', 'licences.txt'), `${[...parts, ...gnu].join(line)}\n`);
