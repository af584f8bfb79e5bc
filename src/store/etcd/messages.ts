// What is said between us and etcd: the part of its API that the store uses, by names and numbers as in api/etcdserverpb/rpc.proto and
// api/mvccpb/kv.proto. A message here is a plain object: bytes are Buffers, numbers of 64 bits are strings, and what is zero is left out.

import protobuf from 'protobufjs/light.js'

export type Message = Readonly<Record<string, unknown>>

const one = (type: string, id: number) => ({ type, id })
const many = (type: string, id: number) => ({ rule: 'repeated', type, id })
const oneOf = (...names: ReadonlyArray<string>) => ({ oneofs: { one: { oneof: [...names] } } })

const REVISION = { header: one('ResponseHeader', 1) }

const ROOT = protobuf.Root.fromJSON({
  nested: {
    ResponseHeader: { fields: { revision: one('int64', 3) } },
    KeyValue: {
      fields: {
        key: one('bytes', 1),
        create_revision: one('int64', 2),
        mod_revision: one('int64', 3),
        value: one('bytes', 5),
        lease: one('int64', 6),
      },
    },
    RangeRequest: {
      fields: {
        key: one('bytes', 1),
        range_end: one('bytes', 2),
        limit: one('int64', 3),
        revision: one('int64', 4),
        keys_only: one('bool', 8),
      },
    },
    RangeResponse: { fields: { ...REVISION, kvs: many('KeyValue', 2), more: one('bool', 3) } },
    PutRequest: { fields: { key: one('bytes', 1), value: one('bytes', 2), lease: one('int64', 3) } },
    PutResponse: { fields: REVISION },
    DeleteRangeRequest: { fields: { key: one('bytes', 1) } },
    DeleteRangeResponse: { fields: { ...REVISION, deleted: one('int64', 2) } },
    RequestOp: {
      ...oneOf('request_range', 'request_put', 'request_delete_range', 'request_txn'),
      fields: {
        request_range: one('RangeRequest', 1),
        request_put: one('PutRequest', 2),
        request_delete_range: one('DeleteRangeRequest', 3),
        request_txn: one('TxnRequest', 4),
      },
    },
    ResponseOp: {
      ...oneOf('response_range', 'response_put', 'response_delete_range', 'response_txn'),
      fields: {
        response_range: one('RangeResponse', 1),
        response_put: one('PutResponse', 2),
        response_delete_range: one('DeleteRangeResponse', 3),
        response_txn: one('TxnResponse', 4),
      },
    },
    CompareResult: { values: { EQUAL: 0, GREATER: 1, LESS: 2, NOT_EQUAL: 3 } },
    CompareTarget: { values: { VERSION: 0, CREATE: 1, MOD: 2, VALUE: 3, LEASE: 4 } },
    Compare: {
      ...oneOf('create_revision', 'mod_revision'),
      fields: {
        result: one('CompareResult', 1),
        target: one('CompareTarget', 2),
        key: one('bytes', 3),
        create_revision: one('int64', 5),
        mod_revision: one('int64', 6),
        range_end: one('bytes', 64),
      },
    },
    TxnRequest: {
      fields: { compare: many('Compare', 1), success: many('RequestOp', 2), failure: many('RequestOp', 3) },
    },
    TxnResponse: { fields: { ...REVISION, succeeded: one('bool', 2), responses: many('ResponseOp', 3) } },
    WatchCreateRequest: {
      fields: {
        key: one('bytes', 1),
        range_end: one('bytes', 2),
        start_revision: one('int64', 3),
        progress_notify: one('bool', 4),
      },
    },
    WatchRequest: { fields: { create_request: one('WatchCreateRequest', 1) } },
    EventType: { values: { PUT: 0, DELETE: 1 } },
    Event: { fields: { type: one('EventType', 1), kv: one('KeyValue', 2) } },
    WatchResponse: {
      fields: {
        ...REVISION,
        created: one('bool', 3),
        canceled: one('bool', 4),
        compact_revision: one('int64', 5),
        cancel_reason: one('string', 6),
        events: many('Event', 11),
      },
    },
    LeaseGrantRequest: { fields: { TTL: one('int64', 1) } },
    LeaseGrantResponse: { fields: { ...REVISION, ID: one('int64', 2), TTL: one('int64', 3) } },
    LeaseRevokeRequest: { fields: { ID: one('int64', 1) } },
    LeaseRevokeResponse: { fields: REVISION },
    LeaseKeepAliveRequest: { fields: { ID: one('int64', 1) } },
    LeaseKeepAliveResponse: { fields: { ...REVISION, ID: one('int64', 2), TTL: one('int64', 3) } },
    AuthenticateRequest: { fields: { name: one('string', 1), password: one('string', 2) } },
    AuthenticateResponse: { fields: { ...REVISION, token: one('string', 2) } },
  },
})

type Codec = Readonly<{
  /** Of HTTP/2. */
  path: string
  encode: (request: Message) => Uint8Array
  /** Throws at what is no such message. */
  decode: (bytes: Uint8Array) => Message
}>

const codec = (service: string, name: string, request = `${name}Request`, response = `${name}Response`): Codec => {
  const [asked, answered] = [ROOT.lookupType(request), ROOT.lookupType(response)]
  return {
    path: `/etcdserverpb.${service}/${name}`,
    encode: (message) => asked.encode(asked.fromObject(message)).finish(),
    decode: (bytes) => answered.toObject(answered.decode(bytes), { longs: String, enums: String }),
  }
}

export const METHODS = {
  range: codec('KV', 'Range'),
  txn: codec('KV', 'Txn'),
  watch: codec('Watch', 'Watch'),
  grant: codec('Lease', 'LeaseGrant'),
  revoke: codec('Lease', 'LeaseRevoke'),
  keepAlive: codec('Lease', 'LeaseKeepAlive'),
  authenticate: codec('Auth', 'Authenticate'),
} as const

export type Method = keyof typeof METHODS
