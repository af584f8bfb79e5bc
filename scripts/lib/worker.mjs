// Processes that carry out orders, one at a time: of a script that tells many by seeds. One that breaks, or ends, ends the script.

import { fork } from 'node:child_process'
import { stop } from './say.mjs'

/**
 * `nameOf`: what an order is about, for sentences. `end` ends the process, and with it all that it has made.
 * @template {import('node:child_process').Serializable} Order
 * @template Answer
 * @param {string} worker
 * @param {import('node:child_process').ForkOptions} options
 * @param {string} script
 * @param {(order: Order) => string} nameOf
 */
export const workerOf = (worker, options, script, nameOf) => {
  const child = fork(worker, ['work'], options)
  /** @type {(order: Order) => Promise<Answer>} */
  const carryOut = (order) =>
    new Promise((resolve, reject) => {
      const done = () => {
        child.off('message', heard)
        child.off('exit', gone)
      }
      /** @param {any} message an Answer, or why there is none */
      const heard = (message) => {
        done()
        if ('broken' in message) reject(stop(`${script}: ${nameOf(order)}: ${message.broken}`, 70))
        else resolve(message)
      }
      const gone = () => {
        done()
        reject(stop(`${script}: a process ended in ${nameOf(order)}`, 70))
      }
      child.on('message', heard)
      child.on('exit', gone)
      child.send(order)
    })
  return { carryOut, end: () => child.kill('SIGKILL') }
}
