// How what Linux says of a host is read.

import { expect, test } from 'vitest'
import { socketsIn } from '../../src/kernel-linux/facts.ts'
import { ip } from '../../src/net/ip.ts'

test('sockets are read as ss(8) tells them', () => {
  const told = [
    'tcp   LISTEN 0      128    0.0.0.0:2024  0.0.0.0:*',
    'udp   UNCONN 0      0      127.0.0.53%lo:53  0.0.0.0:*',
    'tcp   LISTEN 0      511    *:8080  *:*',
    'tcp   LISTEN 0      511    [::1]:631  [::]:*',
    'sctp  LISTEN 0      128    10.0.0.1:38412  0.0.0.0:*',
    'icmp6 UNCONN 0      0      *:58  *:*',
    '',
  ]
  expect(socketsIn(told.join('\n'))).toEqual([
    { ip: ip('0.0.0.0'), port: 2024, transport: 'tcp' },
    { ip: ip('127.0.0.53'), port: 53, transport: 'udp' },
    { ip: ip('0.0.0.0'), port: 8080, transport: 'tcp' },
    { ip: ip('::'), port: 8080, transport: 'tcp' },
    { ip: ip('::1'), port: 631, transport: 'tcp' },
    { ip: ip('10.0.0.1'), port: 38412, transport: 'sctp' },
  ])
})
