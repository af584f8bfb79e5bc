// What an endpoint may join a sandbox with: static routes and links, mostly none, and some that cannot be. The routes lead to where
// nobody is, so they change nothing of who reaches whom but by being a way out.

import type fc from 'fast-check'
import type { Link, StaticRoute } from '../../src/model/types.ts'
import { cidr } from '../../src/net/cidr.ts'
import { ip } from '../../src/net/ip.ts'
import { seldom } from './given.ts'

const ROUTES: ReadonlyArray<readonly [string, string | null]> = [
  ['192.0.2.0/24', null],
  ['192.0.2.0/24', '172.20.0.9'],
  ['192.0.2.0/24', '10.20.1.9'],
  ['0.0.0.0/0', '172.20.0.9'],
  ['2001:db8:7::/48', null],
  ['2001:db8:7::/48', 'fd00:20::9'],
  ['::/0', 'fd00:20::9'],
  ['192.0.2.1/24', null],
  ['224.0.0.0/8', null],
]
const routeOf = ([to, via]: (typeof ROUTES)[number]): StaticRoute => ({
  to: cidr(to),
  via: via === null ? null : ip(via),
})
const TWICE = [routeOf(['192.0.2.0/24', null]), routeOf(['192.0.2.0/24', '10.20.1.9'])]

export const routes: fc.Arbitrary<ReadonlyArray<StaticRoute> | undefined> = seldom<ReadonlyArray<StaticRoute>>(
  ...ROUTES.map((each) => [routeOf(each)]),
  TWICE,
)
export const links: fc.Arbitrary<ReadonlyArray<Link> | undefined> = seldom<ReadonlyArray<Link>>(
  [{ to: 'e0', alias: null }],
  [
    { to: 'e1', alias: 'db' },
    { to: 'e0', alias: 'DB' },
  ],
  [{ to: 'e2', alias: null }],
)
