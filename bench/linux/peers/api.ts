// Docker's API over its socket: the connection stays open, as a client's would.

import { Agent, request } from 'node:http'

/** Calls, and gives the answer's JSON (null where there is none). Throws on a status of 400 and above. */
export type Call = (method: string, path: string, body?: object | Buffer) => Promise<unknown>

const payloadOf = (body: object | Buffer | undefined): readonly [type: string, bytes: Buffer] =>
  Buffer.isBuffer(body)
    ? ['application/x-tar', body]
    : ['application/json', Buffer.from(body === undefined ? '' : JSON.stringify(body))]

export const callerOf = (socketPath: string): Call => {
  const agent = new Agent({ keepAlive: true })
  return (method, path, body) =>
    new Promise((resolve, reject) => {
      const [type, bytes] = payloadOf(body)
      const headers = { 'content-type': type, 'content-length': bytes.length, host: 'docker' }
      const sent = request({ socketPath, method, path, agent, headers }, (answer) => {
        let text = ''
        answer.setEncoding('utf8')
        answer.on('data', (chunk) => {
          text += chunk
        })
        answer.on('error', reject)
        answer.on('end', () => {
          const status = answer.statusCode ?? 0
          if (status >= 400) return reject(new Error(`${method} ${path}: ${status} ${text}`))
          const json = answer.headers['content-type']?.startsWith('application/json') === true
          // A stream of progress is many documents; nobody asks for those.
          resolve(json && !text.includes('\n{') && text.trim() !== '' ? JSON.parse(text) : null)
        })
      })
      sent.on('error', reject)
      sent.end(bytes)
    })
}
