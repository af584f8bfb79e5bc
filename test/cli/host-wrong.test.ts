// What the verbs of a host refuse: bad words and what cannot be as things are, each in one line with its class or the usage, with
// the status of its kind, and nothing half done.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Host, simHost } from './host.ts'

describe('what is wrong with a command line', () => {
  let host: Host
  let before = ''
  beforeAll(async () => {
    host = await simHost()
    await host.ok('network', 'create', '--subnet', '10.1.0.0/24', 'front')
    await host.ok('sandbox', 'create', '-p', '8080:80', 'web')
    before = await host.ok('store', 'export')
  })
  afterAll(() => host.remove())

  const wrong: ReadonlyArray<readonly [number, string, string]> = [
    [2, 'network create', 'NETWORK'],
    [2, 'network create --subnet 10.0.0.1 a', '--subnet: "10.0.0.1" is not a subnet'],
    [2, 'network create --subnet 10.3.0.1/24 a', 'InvalidParameter'],
    [2, 'network create --gateway 10.3.0.1 a', '--gateway 10.3.0.1 needs a subnet that holds it'],
    [2, 'network create --subnet 10.3.0.0/24 --gateway 10.4.0.1 a', '--gateway 10.4.0.1 is in no --subnet'],
    [2, 'network create --subnet 10.3.0.0/24 --ip-range 10.3.0.0/16 a', '--ip-range 10.3.0.0/16 is in no --subnet'],
    [2, 'network create --subnet 10.3.0.0/24 --aux-address x a', '--aux-address x: "" is not an IP address'],
    [2, 'network create --subnet fd00::/64 a', 'add --ipv6'],
    [2, 'network create --ipv4=false a', 'InvalidParameter'],
    [2, 'network create --label =x a', 'has no key'],
    [2, 'network create -o mtu=x a', 'InvalidParameter: option mtu'],
    [2, 'network create --what a', 'unknown option'],
    [2, 'network create a b', 'too many arguments'],
    [1, 'network create -d macramé a', 'NotFound: there is no network driver "macramé"'],
    [1, 'network create front', 'Conflict: a network named "front" exists already'],
    [1, 'network create --subnet 10.1.0.128/25 a', 'Forbidden: subnet 10.1.0.128/25 overlaps 10.1.0.0/24'],
    [2, 'network ls --filter colour=red', '"colour=red" is no filter; there are name=, id='],
    [2, 'network ls --filter name', '"name" is no filter'],
    [2, 'network ls --format yaml', 'Allowed choices are table, json'],
    [1, 'network inspect nope', 'NotFound: there is no network "nope"'],
    [2, 'network inspect', 'NETWORK'],
    [1, 'network rm nope', 'NotFound'],
    [2, 'network rm', 'NETWORK'],
    [2, 'network prune --force --filter name=x', 'is no filter; there are label='],
    [1, 'network connect nope web', 'there is no network "nope"'],
    [1, 'network connect front nope', 'there is no sandbox "nope"'],
    [2, 'network connect --ip fd00::1 front web', '--ip: "fd00::1" is not an IPv4 address'],
    [2, 'network connect --ip 10.7.0.1 front web', 'InvalidParameter'],
    [1, 'network connect --ip 10.1.0.1 front web', 'Forbidden'],
    [2, 'network connect --mac-address x front web', '--mac-address'],
    [2, 'network connect --gw-priority high front web', '"high" is not a whole number'],
    [2, 'network connect --driver-opt colour=red front web', '"colour" is not known'],
    [2, 'network connect --link :db front web', '--link: ":db" is not an endpoint such as db or db:database'],
    [2, 'network connect --link nobody front web', 'InvalidParameter: endpoint "web" cannot link to "nobody"'],
    [2, 'network connect --route 10.9.0.0 front web', '--route'],
    [2, 'network connect --route 10.9.0.0/24=x front web', '--route'],
    [
      2,
      'network connect --route 10.9.0.0/24=10.2.0.9 front web',
      'InvalidParameter: endpoint "web" cannot have the route',
    ],
    [1, 'network connect --route 10.1.0.0/25 front web', 'Conflict: endpoint "web" cannot join'],
    [2, 'sandbox create --sysctl kernel.panic=1 new', 'InvalidParameter: sandbox "new" cannot have the sysctl'],
    [2, 'sandbox create --sysctl net.core.somaxconn new', 'its value is empty'],
    [2, 'sandbox create --netns host --sysctl net.core.somaxconn=1 new', 'its namespace is that of the host'],
    [2, 'network connect front', 'SANDBOX'],
    [1, 'network disconnect front web', 'NotFound: sandbox "web" is not connected'],
    [1, 'network disconnect --force front nobody', 'NotFound'],
    [1, 'endpoint create nope e', 'there is no network "nope"'],
    [2, 'endpoint create --ip x front e', '--ip'],
    [2, 'endpoint create front', 'NAME'],
    [
      2,
      'endpoint create --link-local-ip 10.1.0.9 front e',
      'InvalidParameter: 10.1.0.9 of endpoint "e" is not a link-local',
    ],
    [2, 'endpoint create --alias  front e', '--alias: "" is not one word'],
    [2, 'endpoint rename --alias a\tb nope e', 'is not one word'],
    [1, 'endpoint rename nope e', 'there is no endpoint "nope"'],
    [2, 'endpoint rename nope', 'NAME'],
    [1, 'endpoint rm nope', 'there is no endpoint "nope"'],
    [1, 'endpoint inspect nope', 'there is no endpoint "nope"'],
    [2, 'endpoint ls --filter driver=x', 'is no filter'],
    [1, 'sandbox create web', 'Forbidden: a sandbox named "web" exists already'],
    [1, 'sandbox create --netns cnm-web other', '"web"'],
    [1, 'sandbox create -p 8080:81 other', 'Conflict: port 8080/tcp'],
    [2, 'sandbox create -p 99999 other', '-p: "99999" is not a port'],
    [2, 'sandbox create --netns ../x other', '--netns: "../x" is not a namespace name'],
    [2, 'sandbox create --netns cnm-shop.bcdfg-x other', 'choose another name'],
    [2, 'sandbox create --expose 99999 other', '--expose: "99999" is not a port'],
    [2, 'sandbox create --dns resolver other', '--dns: "resolver" is not an IP address'],
    [2, 'sandbox create --dns-search a\tb other', '--dns-search: "a\\x09b" is not one word'],
    [2, 'sandbox create --dns-option  other', '--dns-option: "" is not one word'],
    [2, 'sandbox create --add-host db other', '--add-host: "db" is not a host such as db:203.0.113.7'],
    [2, 'sandbox create --add-host db:host-gateway other', '--add-host: "host-gateway" is not an IP address'],
    [2, 'sandbox create --hostname  other', '--hostname: "" is not one word'],
    [2, 'sandbox create --external --netns host other', 'InvalidParameter: sandbox "other" shares the namespace'],
    [2, 'sandbox create', 'NAME'],
    [1, 'sandbox rename nope other', 'there is no sandbox "nope"'],
    [2, 'sandbox rename web ', 'InvalidParameter'],
    [2, 'sandbox rename web', 'NAME'],
    [1, 'sandbox refresh nope', 'there is no sandbox "nope"'],
    [2, 'sandbox refresh -p 99999 web', '-p: "99999" is not a port'],
    [2, 'sandbox set-key web', 'PATH'],
    [2, 'sandbox set-key web ns/net', '"ns/net" is not the path of a namespace'],
    [1, 'sandbox set-key nope /proc/1/ns/net', 'there is no sandbox "nope"'],
    [1, 'sandbox rm nope', 'there is no sandbox "nope"'],
    [1, 'sandbox inspect nope', 'there is no sandbox "nope"'],
    [2, 'sandbox ls --filter colour=x', 'is no filter'],
    [2, 'events --follow --since yesterday', 'is not the number of a turn'],
    [2, 'events --since yesterday', 'is not the number of a turn'],
    [2, 'events --follow=yes', 'unknown option'],
    [2, 'doctor now', 'too many arguments'],
    [2, 'store import /nowhere/at/all', 'no such file'],
    [2, 'store export /nowhere/at/all', 'cannot be written'],
    [2, 'store check it', 'too many arguments'],
    [2, 'network ls --state ', "option '--state <dir>' argument '' is invalid"],
    [3, 'network ls --state /etc/passwd', 'choose a directory'],
    [3, 'network create --state /proc/none/at/all a', 'choose a directory where one can be made'],
    [3, 'store export --state /nowhere', 'there is no store in /nowhere; name the state directory'],
    [3, 'journal export --state /nowhere', 'there is no store in /nowhere'],
    [3, 'store check --state /nowhere', 'there is no store in /nowhere'],
    [2, 'network frobnicate', "unknown command 'frobnicate'"],
  ]
  test.each(wrong)('status %i: cnm %s', async (status, line, sentence) => {
    const { exit, err } = await host.run(...line.split(' '))
    expect(err).toContain(sentence)
    expect(err).not.toMatch(/^\s+at /m)
    expect(exit).toBe(status)
  })

  test('an empty name is refused, and one that would forge a line is printed as text', async () => {
    expect((await host.run('network', 'create', '')).exit).toBe(2)
    const { err } = await host.run('network', 'rm', 'a\nb\x1b[31m')
    expect(err.trim().split('\n')).toHaveLength(1)
    expect(err).toContain('a\\x0ab\\x1b[31m')
  })

  test('none of it has changed anything', async () => {
    expect(await host.ok('store', 'export')).toBe(before)
  })
})
