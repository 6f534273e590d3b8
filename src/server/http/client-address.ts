import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

/**
 * Who a client is, as far as its address tells: an IPv4 address, or the first 64 bits of an IPv6 address, since whoever has one of these
 * addresses has all of them. However an address is written, it is the same client.
 *
 * @param text an address, perhaps with a port, as proxies write it into X-Forwarded-For
 * @returns undefined if it is no address
 */
export function clientOf(text: string): string | undefined {
  const written = /^\[([^\]]*)\](?::\d+)?$|^([\d.]+):\d+$/.exec(text.trim())
  const [address = ''] = (written?.[1] ?? written?.[2] ?? text.trim()).split('%')
  if (isIP(address) === 0) return undefined
  // IPv4 addresses that are written as IPv6 addresses become IPv4 addresses.
  const client = ipaddr.process(address)
  return client instanceof ipaddr.IPv6 ? ipaddr.fromByteArray([...client.toByteArray().slice(0, 8), 0, 0, 0, 0, 0, 0, 0, 0]).toString() : client.toString()
}
