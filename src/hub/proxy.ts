/** Which proxy a connection goes through. Node's own clients know none of these variables before version 24. */
import { UsageError } from '../errors.js';
import { describe } from '../options.js';
import type { Environment } from './settings.js';

/**
 * Null: none. Names in lower case go before those in upper case, as in curl.
 *
 * @throws UsageError ERR_INVALID_OPTION for an address that is none, or of a kind that is not spoken here
 */
export function proxyFor(url: URL, environment: Environment): URL | null {
  const kind = url.protocol === 'https:' ? 'https_proxy' : 'http_proxy';
  const text = read(environment, kind) || read(environment, 'all_proxy');
  if (text === '' || isExempt(url, read(environment, 'no_proxy'))) return null;
  const address = /^[a-z][\w+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  const proxy = URL.canParse(address) ? new URL(address) : null;
  if (proxy !== null && /^https?:$/.test(proxy.protocol)) return proxy;
  throw new UsageError(
    'ERR_INVALID_OPTION',
    `${kind.toUpperCase()}: expected the address of a proxy, http:// or https://, received ${describe(withoutPassword(text))}. Correct the variable, or take it away.`,
  );
}

function withoutPassword(address: string): string {
  return address.replace(/\/\/[^@/]*@/, '//');
}

function read(environment: Environment, name: string): string {
  return (environment[name] ?? environment[name.toUpperCase()] ?? '').trim();
}

/** `NO_PROXY`: hosts by comma, each with those below it; a port where it matters; `*` for all. */
function isExempt({ hostname, port, protocol }: URL, list: string): boolean {
  const ownPort = port || (protocol === 'https:' ? '443' : '80');
  const ownHost = hostname.replace(/^\[|\]$/g, '').toLowerCase();
  return list.split(/[\s,]+/).some((entry) => {
    if (entry === '*') return true;
    const [, host = '', wantedPort] =
      /^(?:\*?\.)?(\[[^\]]*\]|[^:]+|[^[\]]*:[^[\]]*:[^[\]]*)(?::(\d+))?$/.exec(entry) ?? [];
    const name = host.replace(/^\[|\]$/g, '').toLowerCase();
    if (name === '' || (wantedPort !== undefined && wantedPort !== ownPort)) return false;
    return ownHost === name || ownHost.endsWith(`.${name}`);
  });
}
