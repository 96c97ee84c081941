/** Names that a server is asked under, or from, in the one form in which browsers send them. */
import { isIP } from 'node:net';

/** Letters that no name in a `Host` or `Origin` header has, or that an address would take for something else. */
const NO_NAME = /[\s/\\?#@%,]/;

const ORIGIN = /^([a-z][a-z\d+.-]*):\/\/(\[[^\]]*\]|[^:/]+)(?::(\d{1,5}))?\/?$/i;

/** Of a host without a port: a name or an address, IPv6 without brackets; null for what is none. */
export function canonicalHost(text: string): string | null {
  const address = text.replace(/^\[(.*)\]$/, '$1');
  const isAddress6 = isIP(address) === 6;
  if (NO_NAME.test(text) || (text.includes(':') && !isAddress6)) return null;
  const url = `http://${isAddress6 ? `[${address}]` : text}`;
  if (!URL.canParse(url)) return null;
  const { hostname } = new URL(url);
  if (isAddress6) return hostname.slice(1, -1);
  return /^[\w-]+(?:\.[\w-]+)*\.?$/.test(hostname) ? hostname : null;
}

/** Of a host, with its port where that is neither 80 nor 443. */
export function canonicalPlace(text: string): string | null {
  const [, name = text, port] = /^(.+?|\[.*\]):(\d{1,5})$/.exec(text) ?? [];
  const isBare6 = isIP(text) === 6;
  const host = canonicalHost(isBare6 ? text : name);
  if (host === null || Number(port ?? 0) > 65_535) return null;
  const bracketed = host.includes(':') ? `[${host}]` : host;
  return isBare6 || port === undefined || ['80', '443'].includes(port) ? bracketed : `${bracketed}:${Number(port)}`;
}

/** Of an origin, without the port that its scheme has anyway; null for what is none. */
export function canonicalOrigin(text: string): string | null {
  const [, scheme = '', host = '', port] = ORIGIN.exec(text) ?? [];
  const name = host === '' ? null : canonicalHost(host);
  if (name === null) return null;
  const url = `${scheme.toLowerCase()}://${name.includes(':') ? `[${name}]` : name}${port === undefined ? '' : `:${port}`}`;
  if (!URL.canParse(url)) return null;
  const { origin } = new URL(url);
  return origin === 'null' ? url : origin; // of another scheme than the web's
}
