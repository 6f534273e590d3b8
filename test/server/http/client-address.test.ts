import { expect, test } from 'vitest'
import { clientOf } from '../../../src/server/http/client-address.js'

test.each([
  [['192.0.2.7', ' 192.0.2.7 ', '192.0.2.7:4711', '::ffff:192.0.2.7', '::FFFF:C000:207', '[::ffff:192.0.2.7]:80']],
  [['2001:db8::1', '2001:DB8:0:0:0:0:0:1', '[2001:db8::1]', '[2001:0db8::1]:443', '2001:db8::ffff:1', '2001:db8:0:0:1:2:3:4']],
  [['fe80::1', 'fe80::2%eth0']],
])('%j is one client', (spellings) => {
  const clients = new Set(spellings.map(clientOf))
  expect(clients.size).toBe(1)
  expect([...clients][0]).toBeTypeOf('string')
})

test('others are others', () => {
  const others = ['192.0.2.7', '192.0.2.8', '2001:db8::1', '2001:db8:0:1::1', 'fe80::1'].map(clientOf)
  expect(new Set(others).size).toBe(5)
})

test.each([[''], ['unknown'], ['_hidden'], ['192.0.2'], ['192.0.2.7:port'], ['0x7f.1'], ['2130706433'], ['[192.0.2.7'], ['2001:db8::1:'], ['example.org']])('%j is no address', (text) => {
  expect(clientOf(text)).toBeUndefined()
})
