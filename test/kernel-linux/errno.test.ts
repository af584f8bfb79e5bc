import { describe, expect, test } from 'vitest'
import { strerror } from '../../src/kernel/errno.ts'
import { batchComplaints, complaintOf, noNamespace, pingFailure, socketFailure } from '../../src/kernel-linux/errno.ts'

describe('the errno of what a program said', () => {
  test('strerror’s sentence stands for its errno, in whichever program’s dress', () => {
    for (const [errno, words] of Object.entries(strerror)) {
      expect(complaintOf(`RTNETLINK answers: ${words}`).errno).toBe(errno)
      expect(complaintOf(`/dev/stdin:1:2-3: Error: Could not process rule: ${words}\nadd ...\n^^^`).errno).toBe(errno)
    }
  })

  test.each([
    ['Error: ipv4: Address already assigned.', 'EEXIST'],
    ['Error: Address already assigned to an ipvlan device.', 'EADDRINUSE'],
    ['Error: 8021q: VLAN device already exists.', 'EEXIST'],
    ['Error: 8021q: Invalid VLAN id.', 'ERANGE'],
    ['Error: 8021q: VLANs not supported on device.', 'EOPNOTSUPP'],
    ['Error: 8021q: Invalid link address.', 'EADDRNOTAVAIL'],
    ['Error: ipv6: address not found.', 'EADDRNOTAVAIL'],
    ['Error: Nexthop has invalid gateway.', 'ENETUNREACH'],
    ['Error: Device for nexthop is not up.', 'ENETDOWN'],
    ['Error: ipv6: IPv6 is disabled on this device.', 'EACCES'],
    ['Error: Can not enslave a bridge to a bridge.', 'ELOOP'],
    ['Cannot find device "nodev"', 'ENODEV'],
    ['Cannot find bridge device "nodev"', 'ENODEV'],
    ['Error: argument "nobr" is wrong: Device does not exist', 'ENODEV'],
    ['Error: argument "cnm-x" is wrong: Invalid "netns" value', 'ENOENT'],
    ['Cannot open network namespace "x": No such file or directory', 'ENOENT'],
    ['/dev/stdin:1:36-48: Error: interval overlaps with an existing one', 'EEXIST'],
    ['/dev/stdin:1:39-51: Error: element does not exist', 'ENOENT'],
    ['sysctl: setting key "net.ipv4.ip_forward": Invalid argument', 'EINVAL'],
  ])('%s', (said, errno) => {
    expect(complaintOf(said)).toEqual({ errno, detail: said })
  })

  test('words that nobody foresaw are an invalid argument, and no words an I/O error', () => {
    expect(complaintOf('Something new.').errno).toBe('EINVAL')
    expect(complaintOf(' \n').errno).toBe('EIO')
  })
})

describe('the complaints of a batch', () => {
  const stderr = [
    'RTNETLINK answers: File exists',
    'Command failed -:3',
    'Cannot find device "nodev"',
    'Command failed -:8',
    'Error: argument "nobr" is wrong: Device does not exist',
    '',
  ].join('\n')

  test('belong to input lines', () => {
    expect([...batchComplaints(stderr).lines]).toEqual([
      [3, { errno: 'EEXIST', detail: 'RTNETLINK answers: File exists' }],
      [8, { errno: 'ENODEV', detail: 'Cannot find device "nodev"' }],
    ])
  })

  test('the last words before it gave up belong to none', () => {
    expect(batchComplaints(stderr).last).toBe('Error: argument "nobr" is wrong: Device does not exist')
    expect(batchComplaints('').last).toBe('')
  })
})

test('a namespace that cannot be entered is told from a command that failed', () => {
  expect(noNamespace('Cannot open network namespace "x": No such file or directory')).toBe(true)
  expect(noNamespace('setting the network namespace "x" failed: Invalid argument')).toBe(true)
  expect(noNamespace('nsenter: cannot open /run/netns/x: No such file or directory')).toBe(true)
  expect(noNamespace('Cannot remove namespace file "/run/netns/x": No such file or directory')).toBe(false)
})

test('ping says how it ended by status and words', () => {
  expect(pingFailure(1, '1 packets transmitted, 0 received', '')).toBe('timeout')
  expect(pingFailure(1, 'From 10.0.0.1 icmp_seq=1 Destination Net Unreachable', '')).toBe('unreachable')
  expect(pingFailure(2, '', 'ping: connect: Network is unreachable')).toBe('unreachable')
})

test('a socket says how it ended by its errno', () => {
  expect(socketFailure('ECONNREFUSED')).toBe('refused')
  expect(socketFailure('ENETUNREACH')).toBe('unreachable')
  expect(socketFailure('EHOSTUNREACH')).toBe('unreachable')
  expect(socketFailure('ETIMEDOUT')).toBe('timeout')
})
