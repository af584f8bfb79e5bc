// Objects in words: who reads that two owners want one of them differently is told which one, and not either one's wish.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { opOf, RARE_KINDS } from '../../properties/arbitraries/ops.ts'
import { type KernelObject, keyOf } from '../../src/kernel/object.ts'
import { FORWARD4 } from '../../src/kernel/sysctl.ts'
import { objectName, objectText } from '../../src/kernel/words.ts'
import { HOST } from '../../src/net/name.ts'

test('objects of one key have one name', () => {
  fc.assert(
    fc.property(fc.array(opOf(RARE_KINDS), { minLength: 50, maxLength: 200, size: 'max' }), (ops) => {
      const names = new Map<string, string>()
      for (const { object } of ops) {
        const first = names.get(keyOf(object)) ?? objectName(object)
        expect(objectName(object)).toBe(first)
        names.set(keyOf(object), first)
      }
    }),
  )
})

test('a name leaves out what the text says besides', () => {
  const forwarding: KernelObject = { kind: 'sysctl', ns: HOST, name: FORWARD4, value: '1', otherwise: '0' }
  expect(objectName(forwarding)).toBe('sysctl net.ipv4.ip_forward of the host')
  expect(objectText(forwarding)).toBe('sysctl net.ipv4.ip_forward=1 of the host')
})
