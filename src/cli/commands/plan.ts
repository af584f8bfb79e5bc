// cnm plan: the kernel operations of a Compose file's networks as the shell commands they stand for.

import type { Project } from '../../compose/project.ts'
import { diff } from '../../kernel/diff.ts'
import type { NsNames } from '../../kernel/print.ts'
import { EMPTY_STATE, objectsOf, stateOf } from '../../kernel/state.ts'
import type { Lab } from '../../lab/lab.ts'
import { addressesOf, type Container } from '../../lab/place.ts'
import { type Subject, stagesOf } from '../../lab/stages.ts'
import type { Network } from '../../model/types.ts'
import { showIp } from '../../net/ip.ts'
import { HOST, type Ns, parseNs } from '../../net/name.ts'
import { getIn } from '../../net/pmap.ts'
import { E, type Either } from '../../prelude.ts'
import { EXIT } from '../exit.ts'
import type { Io } from '../io.ts'
import type { Problem } from '../problem.ts'
import { type Chapter, script, shellWord } from '../render/script.ts'
import { simulate } from '../simulation.ts'
import { labPlanOf, networkOrder, readSource, type Source } from '../source.ts'

export type PlanOptions = Source & Readonly<{ undo: boolean }>

/** The containers that have a namespace of their own. */
const ownersOf = ({ containers }: Lab): ReadonlyArray<Container> =>
  containers.filter(({ name, sandbox }) => sandbox.container === name && sandbox.ns !== HOST)

/** `cnm-` and the container's name as Docker gives it. */
const namesOf = (project: Project, lab: Lab): NsNames => {
  const names = new Map<Ns, string>()
  for (const { name, sandbox } of ownersOf(lab)) {
    const full = parseNs(`cnm-${project.containers.find((each) => each.name === name)?.fullName ?? name}`)
    names.set(sandbox.ns, E.isRight(full) ? full.right : `cnm-${sandbox.ns}`)
  }
  return (ns) => names.get(ns) ?? (ns === HOST ? '/proc/$$/ns/net' : `cnm-${ns}`)
}

/** What a network is made of on the host. */
const partsOf = (network: Network | undefined): string =>
  network?.driver === 'bridge' ? 'its bridge, and its place in the firewall' : 'the device that its containers are on'

const titleOf = (lab: Lab, name: NsNames, subject: Subject): string => {
  const model = lab.engine.model()
  switch (subject.of) {
    case 'host':
      return 'the host: forwarding, and the firewall that all networks share'
    case 'network':
      return `network "${getIn(model.networks, subject.id)?.name ?? subject.id}": ${partsOf(getIn(model.networks, subject.id))}`
    case 'sandbox': {
      const sandbox = getIn(model.sandboxes, subject.id)
      const where = sandbox === undefined ? '' : `: its namespace ${name(sandbox.ns)}, and a cable for each network`
      return `container "${sandbox?.container ?? subject.id}"${where}`
    }
  }
}

const building = (project: Project, lab: Lab, name: NsNames): ReadonlyArray<Chapter> => {
  const sandboxes = ownersOf(lab).map(({ sandbox }) => sandbox)
  return stagesOf(lab.engine, networkOrder(project), sandboxes).map(({ subject, ops }) => ({
    title: titleOf(lab, name, subject),
    ops,
  }))
}

/**
 * First all that is in the namespaces, then they: what a deleted namespace takes along goes only some time after the
 * command, and the script would end before it is gone.
 */
const removal = (lab: Lab, name: NsNames): ReadonlyArray<Chapter> => {
  const wanted = lab.engine.wanted()
  const rooms = objectsOf(wanted).filter(
    (object) => object.kind === 'netns' || (object.kind === 'link' && object.spec.type === 'loopback'),
  )
  const empty = stateOf(rooms)
  const containers = ownersOf(lab).map(({ sandbox }) => name(sandbox.ns))
  return [
    { title: 'bridges and cables, with all that is on them, and the firewall', ops: diff(wanted, empty) },
    { title: `the namespaces of the containers: ${containers.join(', ')}`, ops: diff(empty, EMPTY_STATE) },
  ].filter(({ ops }) => ops.length > 0)
}

/** A ping that should work, if there is one. */
const tryIt = (lab: Lab, name: NsNames): ReadonlyArray<string> => {
  const model = lab.engine.model()
  const owners = ownersOf(lab)
  for (const from of owners)
    for (const to of owners) {
      const ours = new Set(addressesOf(model, from.sandbox).map(({ network }) => network))
      const shared = addressesOf(model, to.sandbox).find(({ network }) => ours.has(network))
      if (from !== to && shared !== undefined)
        return [
          `Try it: ${from.name} pings ${to.name}`,
          `  ip netns exec ${name(from.sandbox.ns)} ping -c1 ${showIp(shared.ip)}`,
        ]
    }
  return []
}

const again = (source: Source): string => {
  const flags = [
    ...(source.projectName === undefined ? [] : ['-p', source.projectName]),
    ...source.profiles.flatMap((profile) => ['--profile', profile]),
    ...(source.envFile === undefined ? [] : ['--env-file', source.envFile]),
    ...source.files,
  ]
  return flags.map(shellWord).join(' ')
}

const IN_LAB = 'nsenter --net=/run/netns/lab'

const headOf = (project: Project, lab: Lab, name: NsNames, source: Source): ReadonlyArray<string> => [
  `The networks of "${project.name}" as the commands that build them, for root.`,
  '',
  'The namespace this runs in plays the host: bridges and firewall are made there. Give it one of its own:',
  '  ip netns add lab',
  '  ip -n lab link set lo up',
  `  cnm plan ${again(source)} | ${IN_LAB} sh -e`,
  ...tryIt(lab, name),
  'Undo it:',
  `  cnm plan --undo ${again(source)} | ${IN_LAB} sh`,
  '  ip netns delete lab',
]

const undoHeadOf = (project: Project, source: Source): ReadonlyArray<string> => [
  `Removes the networks of "${project.name}" that "cnm plan ${again(source)}" built; for root, in the same namespace.`,
  'Without "sh -e" it goes on where something is gone already. Forwarding goes back to what a fresh namespace has: off.',
]

export const plan = async (io: Io, options: PlanOptions): Promise<Either<Problem, number>> => {
  const project = await readSource(io, options)
  if (E.isLeft(project)) return project
  const simulation = await simulate(labPlanOf(project.right))
  if (E.isLeft(simulation)) return simulation
  const { lab } = simulation.right
  const name = namesOf(project.right, lab)
  io.out(
    options.undo
      ? script(undoHeadOf(project.right, options), removal(lab, name), name)
      : script(headOf(project.right, lab, name, options), building(project.right, lab, name), name),
  )
  return E.right(EXIT.ok)
}
