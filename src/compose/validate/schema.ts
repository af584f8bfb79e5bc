// The shape of the network-relevant part of a Compose file, in our own words (JSON Schema draft 7 for Ajv). Each
// `description` is what a wrong value should have been: it completes "must be ...". Scalars are accepted as text too,
// because interpolation yields text. Other keys are not described and so not looked at.

const text = (description: string) => ({ type: 'string', description })
const flag = {
  type: ['boolean', 'string'],
  pattern: '^([Tt]rue|TRUE|[Ff]alse|FALSE|[Yy]es|YES|[Nn]o|NO|[Oo]n|ON|[Oo]ff|OFF|[Yy]|[Nn])$',
  description: 'true or false',
}
const integer = { type: ['integer', 'string'], pattern: '^[-+]?[0-9]{1,15}$', description: 'a whole number' }
const count = {
  type: ['integer', 'string'],
  pattern: '^[0-9]{1,15}$',
  minimum: 0,
  description: 'a whole number, 0 or more',
}
const scalar = { type: ['string', 'number', 'boolean', 'null'], description: 'a single value' }
const scalars = { type: ['object', 'null'], additionalProperties: scalar, description: 'a mapping' }
const texts = (item: string) => ({
  type: ['array', 'null'],
  items: text(item),
  uniqueItems: true,
  description: `a list, each item ${item}`,
})

/** A mapping of fixed keys, `x-` extensions aside. */
const record = (properties: Record<string, unknown>, required: ReadonlyArray<string> = []) => ({
  type: ['object', 'null'],
  properties,
  required,
  patternProperties: { '^x-': {} },
  additionalProperties: false,
  description: 'a mapping',
})

const name = { pattern: '^[a-zA-Z0-9._-]+$' }
const named = (schema: unknown) => ({
  type: ['object', 'null'],
  propertyNames: name,
  additionalProperties: schema,
  description: 'a mapping from names to definitions',
})

const attachment = record({
  aliases: texts('a name'),
  driver_opts: scalars,
  gw_priority: integer,
  interface_name: text("the interface's name"),
  ipv4_address: text('an IPv4 address'),
  ipv6_address: text('an IPv6 address'),
  link_local_ips: texts('an address'),
  mac_address: text('a MAC address'),
  priority: integer,
})

const port = {
  ...record(
    {
      app_protocol: text('the name of a protocol'),
      host_ip: text("an address of the host's"),
      mode: { type: 'string', enum: ['host', 'ingress'], description: '"host" or "ingress"' },
      name: text('a name'),
      protocol: text('"tcp", "udp" or "sctp"'),
      published: { type: ['integer', 'string'], description: 'a port or a range such as "8080-8090"' },
      target: { type: ['integer', 'string'], description: 'the port inside the container' },
    },
    ['target'],
  ),
  type: ['string', 'integer', 'object'],
  description: 'a port such as "8080:80", or a mapping with "target" and "published"',
}

const service = {
  type: ['object', 'null'],
  description: 'a mapping',
  properties: {
    container_name: {
      ...text('a name of letters, digits, "_", "." and "-"'),
      pattern: '^([a-zA-Z0-9][a-zA-Z0-9_.-]*)?$',
    },
    deploy: {
      type: ['object', 'null'],
      properties: { endpoint_mode: text('a mode'), mode: text('a mode'), replicas: count },
      description: 'a mapping',
    },
    domainname: text('a domain name'),
    expose: {
      type: ['array', 'null'],
      items: { type: ['string', 'integer'], description: 'a port such as "8080" or "8080-8090/tcp"' },
      description: 'a list of ports',
    },
    extends: {
      ...record({ file: text("a file's name"), service: text("a service's name") }, ['service']),
      type: ['string', 'object'],
      description: 'the name of a service, or a mapping with "service"',
    },
    hostname: text('a host name'),
    links: texts('SERVICE or SERVICE:ALIAS'),
    mac_address: text('a MAC address'),
    network_mode: text('"none", "host", "bridge" or "service:NAME"'),
    networks: {
      type: ['array', 'object', 'null'],
      items: text("a network's name"),
      uniqueItems: true,
      additionalProperties: attachment,
      description: 'a list of network names, or a mapping from them',
    },
    ports: { type: ['array', 'null'], items: port, description: 'a list of ports' },
    profiles: texts("a profile's name"),
    scale: count,
    sysctls: {
      type: ['object', 'array', 'null'],
      items: text('NAME=VALUE'),
      additionalProperties: scalar,
      description: 'a mapping, or a list, each item NAME=VALUE',
    },
  },
}

/** It is shown in tables and in the comments of scripts that root runs. */
const networkName = { ...text('a name in one line, without control characters'), pattern: '^\\P{Cc}*$' }

const network = record({
  attachable: flag,
  driver: text("a driver's name"),
  driver_opts: scalars,
  enable_ipv4: flag,
  enable_ipv6: flag,
  external: {
    ...flag,
    ...record({ name: networkName }),
    type: ['boolean', 'string', 'object'],
    description: 'true or false',
  },
  internal: flag,
  ipam: record({
    config: {
      type: ['array', 'null'],
      items: {
        ...record({
          aux_addresses: {
            type: ['object', 'null'],
            additionalProperties: text('an address'),
            description: 'a mapping',
          },
          gateway: text('an address'),
          ip_range: text('a range such as 172.20.5.0/24'),
          subnet: text('a subnet such as 172.20.0.0/16'),
        }),
        type: 'object',
      },
      description: 'a list of mappings, each with a "subnet"',
    },
    driver: text("a driver's name"),
    options: scalars,
  }),
  labels: {
    type: ['array', 'object', 'null'],
    items: text('KEY=VALUE'),
    additionalProperties: scalar,
    description: 'a mapping, or a list of KEY=VALUE',
  },
  name: networkName,
})

export const schema = {
  type: 'object',
  properties: {
    include: { type: ['array', 'null'], description: 'a list' },
    name: text("the project's name"),
    networks: named(network),
    services: named(service),
    'x-cnm': record({
      expect: {
        type: ['array', 'null'],
        items: text('a sentence such as "web reaches api on tcp/8080"'),
        description: 'a list of sentences such as "web reaches api on tcp/8080"',
      },
    }),
  },
}
