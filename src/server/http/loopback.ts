import { isIPv4 } from 'node:net'

/** Whether a name or an IP address, without brackets, stands for this machine itself. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'))
}

/**
 * Whether a Host header, which may have a port, names this machine itself. A browser sends the name that its address bar has. So a foreign
 * page whose name was made to lead here (DNS rebinding) is recognised by it.
 */
export function namesLoopback(header: string | null): boolean {
  return header !== null && isLoopback(header.toLowerCase().replace(/:\d*$/, '').replace(/^\[(.*)\]$/, '$1'))
}
