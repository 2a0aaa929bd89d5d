// Raw Baileys as people use it by its own documentation: one process, `useMultiFileAuthState`, `sendMessage`.
// Reads one JSON command a line on stdin, answers one JSON line each:
//   {"do":"link","phones":["+55..."],"folder":"/dir","at_a_time":1,"first":0}   links one session per phone number, numbered from first
//   {"do":"open","count":N,"folder":"/dir","at_a_time":1}      connects sessions that an earlier process linked there
//   {"do":"latency","session":0,"to":["+55..."],"count":N,"gap_ms":50}   one message at a time on an idle system
//   {"do":"picture","session":0,"to":"...@g.us","path":"/a.png"}   one picture
//   {"do":"throughput","sessions":[0],"to":[["+55..."]],"count":N,"in_flight":32}   as many as go
//   {"do":"memory"} {"do":"end"}
// Run with the folder of a package that has Baileys as working directory.
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const [whatsappUrl, controlUrl] = process.argv.slice(2)
const require = createRequire(join(process.cwd(), 'package.json'))
const baileysFile = join(process.cwd(), 'node_modules/@whiskeysockets/baileys/lib/index.js')
const baileys = await import(pathToFileURL(baileysFile).href)
const { makeCacheableSignalKeyStore, makeWASocket, useMultiFileAuthState } = baileys
const { NodeCache } = require('@cacheable/node-cache')
const pino = require('pino')
const logger = pino({ level: 'silent' })

// libsignal prints sessions to the console; standard output is for answers.
for (const method of ['log', 'info', 'warn', 'error', 'debug']) console[method] = () => {}
const answer = content => process.stdout.write(`${JSON.stringify(content)}\n`)

// Shared by all sockets, and outside of them, as in Baileys' example.
const msgRetryCounterCache = new NodeCache()
const sessions = []
const epochMs = () => performance.timeOrigin + performance.now()
const jidOf = to => (to.startsWith('+') ? `${to.slice(1)}@s.whatsapp.net` : to)

async function control(path, body) {
  const response = await fetch(controlUrl + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body)
  })
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
  return response.json()
}

async function link(phone, folder) {
  const { state, saveCreds } = await useMultiFileAuthState(folder)
  const session = { socket: null, acks: new Map() }
  const connect = (resolve, reject) => {
    const socket = makeWASocket({
      auth: { creds: state.creds, keys: makeCacheableSignalKeyStore(state.keys, logger) },
      logger,
      waWebSocketUrl: whatsappUrl,
      msgRetryCounterCache,
      markOnlineOnConnect: false
    })
    session.socket = socket
    socket.ev.on('creds.update', saveCreds)
    socket.ws.on('CB:ack,class:message', node => {
      session.acks.get(node.attrs.id)?.()
      session.acks.delete(node.attrs.id)
    })
    socket.ev.on('connection.update', ({ connection, qr, lastDisconnect }) => {
      if (qr) control(`/phones/${encodeURIComponent(phone)}:scan`, { qr }).catch(reject)
      if (connection === 'open') resolve()
      if (connection === 'close') {
        if (lastDisconnect?.error?.output?.statusCode === 515) connect(resolve, reject)
        else reject(lastDisconnect?.error ?? new Error('closed'))
      }
    })
  }
  await new Promise(connect)
  return session
}

async function send(session, to, content) {
  const id = baileys.generateMessageIDV2()
  const acknowledged = new Promise(resolve => session.acks.set(id, resolve))
  const startedAt = epochMs()
  await session.socket.sendMessage(jidOf(to), content, { messageId: id })
  await acknowledged
  return { id, started_at_ms: startedAt }
}

const commands = {
  async link({ phones, folder, at_a_time = 1, first = 0 }) {
    const waiting = phones.entries()
    const lane = async () => {
      for (const [index, phone] of waiting) sessions[index] = await link(phone, join(folder, `session-${first + index}`))
    }
    await Promise.all(Array.from({ length: at_a_time }, lane))
    return { linked: sessions.length }
  },
  async open({ count, folder, at_a_time = 1 }) {
    const waiting = Array(count).keys()
    const lane = async () => {
      for (const index of waiting) sessions[index] = await link('', join(folder, `session-${index}`))
    }
    await Promise.all(Array.from({ length: at_a_time }, lane))
    return { opened: sessions.length }
  },
  async latency({ session, to, count, gap_ms }) {
    const sent = []
    for (let index = 0; index < count; index++) {
      sent.push(await send(sessions[session], to[index % to.length], { text: `latency ${index}` }))
      await new Promise(resolve => setTimeout(resolve, gap_ms))
    }
    return { sent }
  },
  async picture({ session, to, path }) {
    return { sent: [await send(sessions[session], to, { image: { url: path } })] }
  },
  async throughput({ sessions: chosen, to, count, in_flight }) {
    const startedAt = epochMs()
    await Promise.all(
      chosen.map(async (number, position) => {
        let next = 0
        const lane = async () => {
          while (next < count) {
            const index = next++
            const text = `throughput ${index}`
            await send(sessions[number], to[position][index % to[position].length], { text })
          }
        }
        await Promise.all(Array.from({ length: in_flight }, lane))
      })
    )
    return { started_at_ms: startedAt, ended_at_ms: epochMs(), count: count * chosen.length }
  },
  async memory() {
    return { resident_bytes: process.memoryUsage().rss }
  },
  async end() {
    for (const { socket } of sessions) await socket.end(undefined)
    setTimeout(() => process.exit(0), 100)
    return { ended: true }
  }
}

answer({ ready: true })
for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line)
  try {
    answer(await commands[command.do](command))
  } catch (error) {
    answer({ error: String(error?.stack ?? error) })
  }
}
process.exit(0)
