// Sends texts through Ponte's REST door as fast as it goes, or one at a time; a lean client, so that the load does not weigh more than what is measured.
// One JSON command a line on stdin, one JSON line each as answer:
//   {"do":"latency","key":K,"session_id":S,"to":[...],"count":N,"gap_ms":50}
//   {"do":"throughput","senders":[{"key":K,"session_id":S,"to":[...]}],"count":N,"in_flight":32}
import { Agent, request } from 'node:http'
import { createInterface } from 'node:readline'

const [baseUrl] = process.argv.slice(2)
const { hostname, port } = new URL(baseUrl)
const agent = new Agent({ keepAlive: true, maxSockets: 512, noDelay: true })
const epochMs = () => performance.timeOrigin + performance.now()

function post(key, body) {
  const text = JSON.stringify(body)
  const headers = {
    authorization: `Bearer ${key}`,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text)
  }
  return new Promise((resolve, reject) => {
    const outgoing = request({ hostname, port, path: '/v1/messages', method: 'POST', agent, headers }, answer => {
      const chunks = []
      answer.on('data', chunk => chunks.push(chunk))
      answer.on('end', () => {
        const content = Buffer.concat(chunks).toString()
        if (answer.statusCode === 202) resolve(JSON.parse(content))
        else reject(new Error(`${answer.statusCode}: ${content}`))
      })
    })
    outgoing.on('error', reject)
    outgoing.end(text)
  })
}

const commands = {
  async latency({ key, session_id, to, count, gap_ms }) {
    const sent = []
    for (let index = 0; index < count; index++) {
      const startedAt = epochMs()
      const answer = await post(key, { session_id, to: to[index % to.length], text: { body: `latency ${index}` } })
      sent.push({ id: answer.wa_message_id, started_at_ms: startedAt })
      await new Promise(resolve => setTimeout(resolve, gap_ms))
    }
    return { sent }
  },
  async throughput({ senders, count, in_flight }) {
    const startedAt = epochMs()
    const ids = []
    await Promise.all(
      senders.map(async ({ key, session_id, to }) => {
        let next = 0
        const lane = async () => {
          while (next < count) {
            const index = next++
            const text = { body: `throughput ${index}` }
            ids.push((await post(key, { session_id, to: to[index % to.length], text })).wa_message_id)
          }
        }
        await Promise.all(Array.from({ length: in_flight }, lane))
      })
    )
    return { started_at_ms: startedAt, posted_at_ms: epochMs(), count: ids.length, ids }
  }
}

console.log(JSON.stringify({ ready: true }))
for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line)
  try {
    console.log(JSON.stringify(await commands[command.do](command)))
  } catch (error) {
    console.log(JSON.stringify({ error: String(error?.stack ?? error) }))
  }
}
process.exit(0)
