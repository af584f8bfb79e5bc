// Whether a stack has what a fact says.

import { isDeepStrictEqual } from 'node:util'
import type { Stack } from '../../src/kernel/rtnl/stack.ts'
import { cidr } from '../../src/net/cidr.ts'
import { ip } from '../../src/net/ip.ts'
import { type Ns, ns } from '../../src/net/name.ts'
import { type Fact, mac } from './scenario.ts'

const isOfDad = (flag: string): boolean => flag === 'dadfailed' || flag === 'tentative'

const count = (fact: Fact, stack: Stack): number => {
  switch (fact.of) {
    case 'fdb': {
      const { dev, mac: address, state, dst } = fact.like
      return stack.fdb.filter(
        (each) =>
          each.dev === dev &&
          each.mac === mac(address) &&
          (state === undefined || each.state === state) &&
          (dst === undefined || each.dst === ip(dst)),
      ).length
    }
    case 'neighbours': {
      const { dev, ip: address, state } = fact.like
      return stack.neighbours.filter(
        (each) => each.dev === dev && each.ip === ip(address) && (state === undefined || each.state === state),
      ).length
    }
    case 'addresses': {
      const { dev, ip: address, dad } = fact.like
      return stack.addresses.filter(
        (each) =>
          each.dev === dev &&
          each.cidr.ip === ip(address) &&
          (dad === undefined || isDeepStrictEqual(each.flags.filter(isOfDad), dad)),
      ).length
    }
    case 'routes': {
      const { to, type, dev, table } = fact.like
      const prefix = cidr(to)
      return stack.routes.filter(
        (each) =>
          each.to.ip === prefix.ip &&
          each.to.bits === prefix.bits &&
          (type === undefined || each.type === type) &&
          (table === undefined || each.table === table) &&
          (dev === undefined || each.hops.some((hop) => hop.dev === dev)),
      ).length
    }
  }
}

/** None: it holds. */
export const holds = (fact: Fact, stacks: ReadonlyMap<Ns, Stack>): ReadonlyArray<string> => {
  const stack = stacks.get(ns(fact.ns))
  if (stack === undefined) return ['there is no such namespace']
  return count(fact, stack) > 0 === fact.is ? [] : [fact.is ? 'it is not there' : 'it is there']
}
