// What clients ask of a host, as commands of its engine, and what they are told.

import type { Engine } from '../../../src/engine/engine.ts'
import type { Command } from '../../../src/model/command.ts'
import { explain } from '../../../src/model/error.ts'
import { showCidr } from '../../../src/net/cidr.ts'
import { showIp } from '../../../src/net/ip.ts'
import { E } from '../../../src/prelude.ts'
import { box, createEndpoint, createNetwork, createSandbox, end, join, leave, net, v4 } from '../../lib/model.ts'
import type { Act, Acted } from './protocol.ts'

const commandOf = (act: Act): Command => {
  switch (act.do) {
    case 'network':
      return createNetwork(act.net, act.name, { scope: act.scope === 'global' ? 'global' : 'local' })
    case 'no network':
      return { tag: 'DeleteNetwork', id: net(act.net) }
    case 'endpoint':
      return createEndpoint(act.end, act.net, act.name, { ipv4: act.ip === null ? null : v4(act.ip) })
    case 'no endpoint':
      return { tag: 'DeleteEndpoint', id: end(act.end), force: false }
    case 'sandbox':
      return createSandbox(act.box, act.name)
    case 'no sandbox':
      return { tag: 'DeleteSandbox', id: box(act.box) }
    case 'join':
      return join(act.end, act.box)
    case 'leave':
      return leave(act.end, act.box)
  }
}

export const acted = async (engine: Engine, act: Act): Promise<Acted> => {
  const [answer] = await engine.submit([commandOf(act)])
  if (answer === undefined) throw new Error('an answer for each command')
  if (E.isLeft(answer)) {
    const error = answer.left
    return { refused: error.tag, what: error.tag === 'NotFound' ? error.what : null, why: explain(error) }
  }
  const created = answer.right.find((event) => event.tag === 'EndpointCreated')
  const made = answer.right.find((event) => event.tag === 'NetworkCreated')
  const ip = created?.endpoint.addresses[0]?.cidr.ip
  const subnet = made?.network.pools[0]?.subnet
  return { ip: ip === undefined ? null : showIp(ip), subnet: subnet === undefined ? null : showCidr(subnet) }
}
