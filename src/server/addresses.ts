/** Which addresses a server may fetch from: those of the internet, and none of its own network. */
import { lookup as systemLookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';

/** Finds every address of a host. */
export type AddressLookup = (host: string) => Promise<readonly FoundAddress[]>;

/** One address of a host, as `dns.lookup` gives it. */
export interface FoundAddress {
  /** The address as a text: "93.184.215.14", "2606:2800:21f::1". */
  readonly address: string;
  /** 4 or 6. */
  readonly family: number;
}

/** IANA's registries of special-purpose addresses: nothing that is reached through the internet. */
const BLOCKED_4 = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['168.63.129.16', 32], // a cloud's own service, though it looks public
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const;

/** What may hold an IPv4 address within (mapped, translated, 6to4, Teredo) is blocked whole: it would pass by the list above. */
const BLOCKED_6 = [
  ['::', 96],
  ['::ffff:0:0', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
  ['5f00::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
] as const;

const blocked4 = new BlockList();
for (const [net, prefix] of BLOCKED_4) blocked4.addSubnet(net, prefix, 'ipv4');
const blocked6 = new BlockList();
for (const [net, prefix] of BLOCKED_6) blocked6.addSubnet(net, prefix, 'ipv6');

/** All that IANA has given to the internet. */
const unicast6 = new BlockList();
unicast6.addSubnet('2000::', 3, 'ipv6');

/** The system's. */
export const lookupAll: AddressLookup = async (host) => await systemLookup(host, { all: true, verbatim: true });

/** Whether an address is one of the internet; false for what is no address. */
export function isPublic(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !blocked4.check(address, 'ipv4');
  return family === 6 && !address.includes('%') && unicast6.check(address, 'ipv6') && !blocked6.check(address, 'ipv6');
}

/** Whether only programs of this machine reach it. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[|\]$/g, '');
  return name === 'localhost' || name === '::1' || (isIP(name) === 4 && name.startsWith('127.'));
}
