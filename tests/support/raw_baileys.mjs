// One number on raw Baileys with its own `useMultiFileAuthState`, driven by JSON lines on stdin, one answer each:
//   {"do":"connect","folder":"/dir"}   answers {"qr"} where the folder is not linked, else {"me"} once it is open
//   {"do":"opened"}                    answers {"me"} once the connection is open
//   {"do":"send","to":"+55...","text":"..."}   answers {"acknowledged":true}
//   {"do":"received","count":N}        answers {"texts":[...]} once there are so many
//   {"do":"close"}                     ends the connection and lets the files be written
// Run with the folder of a package that has Baileys as working directory; the argument is WhatsApp's address.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'

const [whatsappUrl] = process.argv.slice(2)
const require = createRequire(join(process.cwd(), 'package.json'))
const file = join(process.cwd(), 'node_modules/@whiskeysockets/baileys/lib/index.js')
const { makeWASocket, useMultiFileAuthState } = await import(pathToFileURL(file).href)
const logger = require('pino')({ level: 'silent' })

// libsignal prints on standard output, which is for the answers.
console.log = console.info = console.error
const say = answer => process.stdout.write(`${JSON.stringify(answer)}\n`)

const texts = []
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
  ws.on('CB:ack,class:message', node => acks.get(node.attrs.id)?.())
  ev.on('messages.upsert', ({ messages }) => {
    for (const { key, message } of messages) {
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

const commands = {
  connect,
  opened: async () => ({ me: await opened }),
  async send({ to, text }) {
    const messageId = `3EB0${Date.now().toString(16).toUpperCase().padStart(18, '0')}`
    const acknowledged = new Promise(resolve => acks.set(messageId, resolve))
    await socket.sendMessage(`${to.slice(1)}@s.whatsapp.net`, { text }, { messageId })
    await acknowledged
    return { acknowledged: true }
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
