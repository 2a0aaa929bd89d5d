// One number on raw Baileys with its own `useMultiFileAuthState`, driven by JSON lines on stdin, one answer each:
//   {"do":"connect","folder":"/dir"}   answers {"qr"} where the folder is not linked, else {"me"} once it is open
//   {"do":"opened"}                    answers {"me"} once the connection is open
//   {"do":"send","to":"+55...","text":"..."}   answers {"acknowledged":true}
//   {"do":"received","count":N}        answers {"texts":[...]} once there are so many
//   {"do":"post","to":"+55...","content":{...}}   any content of sendMessage; answers {"id"} once it is acknowledged
//   {"do":"relay","to":"+55...","message":{...}}   any protobuf Message; answers {"id"} once it is acknowledged
//   {"do":"vote","id":"...","options":["..."]}    votes in a poll that came in; answers {"id"}
//   {"do":"read","id":"..."}           answers once a message that was sent has been read
//   {"do":"message","id":"..."}        answers {"key","message"} once a message of this id has come in
//   {"do":"show","to":"+55...","activity":"composing"}   or "recording", "paused"; answers {"shown":true}
//   {"do":"close"}                     ends the connection and lets the files be written
// Run with the folder of a package that has Baileys as working directory; the argument is WhatsApp's address.
import { createHash, randomBytes } from 'node:crypto'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'

const [whatsappUrl] = process.argv.slice(2)
const require = createRequire(join(process.cwd(), 'package.json'))
const file = join(process.cwd(), 'node_modules/@whiskeysockets/baileys/lib/index.js')
const { aesEncryptGCM, hmacSign, jidNormalizedUser, makeWASocket, proto, useMultiFileAuthState } = await import(pathToFileURL(file).href)
const logger = require('pino')({ level: 'silent' })

// libsignal prints on standard output, which is for the answers.
console.log = console.info = console.error
const say = answer => process.stdout.write(`${JSON.stringify(answer)}\n`)

const texts = []
const arrived = new Map()
const read = new Set()
const acks = new Map()
let socket
let opened
let waiting = () => undefined

async function connect({ folder }) {
  const { state, saveCreds } = await useMultiFileAuthState(folder)
  return new Promise((answer, refuse) => {
    opened = new Promise((open, fail) => start({ state, saveCreds, answer, open, fail }))
    opened.then(me => answer({ me }), refuse)
  })
}

function start(link) {
  socket = makeWASocket({ auth: link.state, logger, waWebSocketUrl: whatsappUrl, markOnlineOnConnect: false })
  const { ev, ws } = socket
  ev.on('creds.update', link.saveCreds)
  ws.on('CB:receipt', node => {
    if (node.attrs.type === 'read') read.add(node.attrs.id)
    waiting()
  })
  ws.on('CB:ack,class:message', node => acks.get(node.attrs.id)?.())
  ev.on('messages.upsert', ({ messages }) => {
    for (const { key, message } of messages) {
      if (message) arrived.set(key.id, { key, message })
      const text = message?.conversation ?? message?.extendedTextMessage?.text
      if (!key.fromMe && text) texts.push(text)
    }
    waiting()
  })
  ev.on('connection.update', ({ connection, qr, lastDisconnect }) => {
    if (qr) link.answer({ qr })
    if (connection === 'open') link.open(link.state.creds.me)
    if (connection !== 'close') return
    if (lastDisconnect?.error?.output?.statusCode === 515) start(link)
    else link.fail(lastDisconnect?.error ?? new Error('closed'))
  })
}

const jidOf = number => `${number.slice(1)}@s.whatsapp.net`

async function acknowledged(send) {
  const id = `3EB0${randomBytes(9).toString('hex').toUpperCase()}`
  const acked = new Promise(resolve => acks.set(id, resolve))
  await send(id)
  await acked
  return { id }
}

async function cameIn(id) {
  while (!arrived.has(id)) await new Promise(resolve => (waiting = resolve))
  return arrived.get(id)
}

const commands = {
  connect,
  opened: async () => ({ me: await opened }),
  async send({ to, text }) {
    await acknowledged(messageId => socket.sendMessage(jidOf(to), { text }, { messageId }))
    return { acknowledged: true }
  },
  async post({ to, content, options }) {
    if (content.event) content.event.startDate = new Date(content.event.startDate)
    const quoted = options?.quoted && arrived.get(options.quoted)
    return acknowledged(messageId => socket.sendMessage(jidOf(to), content, { ...options, quoted, messageId }))
  },
  async relay({ to, message }) {
    const given = proto.Message.fromObject(message)
    return acknowledged(messageId => socket.relayMessage(jidOf(to), given, { messageId }))
  },
  async vote({ id, options }) {
    const { key, message } = await cameIn(id)
    const { me } = socket.authState.creds
    // Both sides as the chat addresses them.
    const voter = jidNormalizedUser(key.remoteJid.endsWith('@lid') ? me.lid : me.id)
    const creator = jidNormalizedUser(key.remoteJid)
    const sign = Buffer.concat([...[id, creator, voter, 'Poll Vote'].map(text => Buffer.from(text)), Buffer.from([1])])
    const secret = hmacSign(sign, hmacSign(message.messageContextInfo.messageSecret, new Uint8Array(32)))
    const iv = randomBytes(12)
    const chosen = options.map(option => createHash('sha256').update(option).digest())
    const vote = proto.Message.PollVoteMessage.encode({ selectedOptions: chosen }).finish()
    const encPayload = aesEncryptGCM(vote, secret, iv, Buffer.from(`${id}\u0000${voter}`))
    const pollUpdateMessage = { pollCreationMessageKey: key, vote: { encPayload, encIv: iv }, senderTimestampMs: Date.now() }
    return acknowledged(messageId => socket.relayMessage(key.remoteJid, { pollUpdateMessage }, { messageId }))
  },
  async show({ to, activity }) {
    await socket.sendPresenceUpdate(activity, jidOf(to))
    return { shown: true }
  },
  async read({ id }) {
    while (!read.has(id)) await new Promise(resolve => (waiting = resolve))
    return { read: true }
  },
  async message({ id }) {
    return cameIn(id)
  },
  async received({ count }) {
    while (texts.length < count) await new Promise(resolve => (waiting = resolve))
    return { texts }
  },
  async close() {
    await socket.end(undefined)
    // Baileys writes its files without telling when they are done.
    await new Promise(resolve => setTimeout(resolve, 300))
    return { closed: true }
  }
}

say({ ready: true })
for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line)
  try {
    say(await commands[command.do](command))
  } catch (error) {
    say({ error: String(error?.stack ?? error) })
  }
}
process.exit(0)
