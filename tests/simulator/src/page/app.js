const REFRESH_MS = 2000;
const NOTICE_MS = 4000;
const TICKS = { sent: '✓', delivered: '✓✓', read: '✓✓' };

const $ = (id) => document.getElementById(id);
const path = (number, rest = '') => `/phones/${encodeURIComponent(number)}${rest}`;

/** What the page shows: the phones, the chosen one with its messages by seq, and the open chat. */
const state = { phones: [], devices: [], current: undefined, messages: new Map(), chat: undefined };
let stream;

async function call(method, url, body) {
  const response = await fetch(url, { method, ...(body ? { body: JSON.stringify(body) } : {}) });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error.detail);
  return answer;
}

function element(tag, attributes = {}, ...content) {
  const made = Object.assign(document.createElement(tag), attributes);
  made.append(...content.filter((part) => part !== undefined));
  return made;
}

function notify(text) {
  const notice = $('notice');
  notice.textContent = text;
  notice.classList.add('shown');
  setTimeout(() => notice.classList.remove('shown'), NOTICE_MS);
}

/** Runs a form's action with its fields; shows a refusal, and empties the form otherwise. */
function onSubmit(id, action) {
  const form = $(id);
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    try {
      await action(Object.fromEntries(new FormData(form)));
      form.reset();
    } catch (error) {
      notify(error.message);
    }
  });
}

const nameOf = (number) => state.phones.find((phone) => phone.phone_number === number)?.name ?? number;
const initial = (number) => nameOf(number).replace(/^\+/, '').slice(0, 1).toUpperCase();
const peerOf = (message) => (message.from_me ? message.to : message.from);
const timeOf = (message) =>
  new Date(message.at_ms).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });

async function refresh() {
  [state.phones, state.devices] = await Promise.all([call('GET', '/phones'), call('GET', '/devices')]);
  drawPhones();
  drawDevices();
  if (state.current) drawBar();
}

function drawPhones() {
  const rows = state.phones.map((phone) => {
    const linked = phone.devices.length === 0 ? '' : `, ${phone.devices.length} linked`;
    const row = element(
      'button',
      { className: 'row', onclick: () => choose(phone.phone_number) },
      element('span', { className: 'avatar', textContent: initial(phone.phone_number) }),
      element(
        'div',
        {},
        element('strong', { textContent: phone.name }),
        element('small', { textContent: phone.phone_number + linked }),
      ),
    );
    row.setAttribute('aria-current', String(phone.phone_number === state.current));
    return element('li', {}, row);
  });
  $('phone-list').replaceChildren(...rows);
}

function drawDevices() {
  const devices = state.devices.filter((device) => device.phone_number === state.current);
  const rows = devices.map((device) => {
    const unlink = element('button', { className: 'quiet', textContent: 'Unlink' });
    unlink.onclick = () => call('DELETE', `/devices/${encodeURIComponent(device.jid)}`).then(refresh);
    const dot = element('span', { className: device.connected ? 'dot on' : 'dot' });
    const label = `Device ${device.jid.split(/[:@]/)[1]}, ${device.connected ? 'connected' : 'offline'}`;
    return element('li', {}, element('span', {}, dot, ` ${label}`), unlink);
  });
  $('device-list').replaceChildren(
    ...(rows.length > 0 ? rows : [element('li', { textContent: 'None yet.' })]),
  );
}

/** Opens a phone: its chats, its switches, and its messages as they come. */
async function choose(number) {
  state.current = number;
  state.chat = undefined;
  state.messages = new Map();
  stream?.close();
  stream = new EventSource(path(number, '/stream'));
  for (const event of ['message', 'status']) {
    stream.addEventListener(event, ({ data }) => {
      if (state.current === number) keep(JSON.parse(data));
    });
  }
  const phone = await call('GET', path(number));
  for (const message of await call('GET', path(number, '/messages?include_sent=true'))) {
    state.messages.set(message.seq, message);
  }
  $('auto-delivery').checked = phone.behaviour.auto_delivery_receipt;
  $('auto-read').checked = phone.behaviour.auto_read;
  $('auto-reply').value = phone.behaviour.auto_reply.text ?? '';
  $('empty').hidden = true;
  $('phone').hidden = false;
  $('side').hidden = false;
  drawPhones();
  drawDevices();
  draw();
}

function keep(message) {
  if (message.seq === undefined) return;
  state.messages.set(message.seq, message);
  if (!message.from_me && message.from === state.chat && message.status === 'received') markRead();
  draw();
}

function draw() {
  const open = state.chat !== undefined;
  $('back').hidden = !open;
  $('chats').hidden = open;
  $('conversation').hidden = !open;
  drawBar();
  if (open) drawConversation();
  else drawChats();
}

function drawBar() {
  const shown = state.chat ?? state.current;
  $('bar-avatar').textContent = initial(shown);
  $('bar-title').textContent = nameOf(shown);
  $('bar-subtitle').textContent = shown;
}

function drawChats() {
  const chats = new Map();
  for (const message of state.messages.values()) {
    const peer = peerOf(message);
    const chat = chats.get(peer) ?? { unread: 0 };
    chat.last = message;
    if (message.status === 'received') chat.unread += 1;
    chats.set(peer, chat);
  }
  const newestFirst = [...chats].sort(([, a], [, b]) => b.last.at_ms - a.last.at_ms);
  const rows = newestFirst.map(([peer, { last, unread }]) =>
    element(
      'li',
      {},
      element(
        'button',
        { className: 'row', onclick: () => openChat(peer) },
        element('span', { className: 'avatar', textContent: initial(peer) }),
        element(
          'div',
          {},
          element('strong', { textContent: nameOf(peer) }),
          element('small', { textContent: last.text ?? last.kind }),
        ),
        unread > 0 ? element('span', { className: 'badge', textContent: unread }) : undefined,
      ),
    ),
  );
  $('chat-list').replaceChildren(...rows);
}

function drawConversation() {
  const messages = [...state.messages.values()].filter(
    (message) => peerOf(message) === state.chat && !message.duplicate,
  );
  const bubbles = messages.map((message) => {
    const ticks = message.from_me ? (TICKS[message.status] ?? '') : '';
    const footer = element(
      'footer',
      {},
      timeOf(message),
      ' ',
      element('span', {
        className: message.from_me && message.status === 'read' ? 'read' : '',
        textContent: ticks,
      }),
    );
    const text = message.text ?? `(${message.kind})`;
    return element('li', { className: message.from_me ? 'bubble own' : 'bubble' }, text, footer);
  });
  const list = $('message-list');
  list.replaceChildren(...bubbles);
  list.scrollTop = list.scrollHeight;
}

function openChat(peer) {
  state.chat = peer;
  markRead();
  draw();
  $('compose').elements.text.focus();
}

async function markRead() {
  try {
    const { ids } = await call('POST', path(state.current, ':read'), { from: state.chat });
    for (const message of state.messages.values()) if (ids.includes(message.id)) message.status = 'read';
  } catch (error) {
    notify(error.message);
  }
}

function change(settings) {
  call('PATCH', path(state.current), settings).catch((error) => notify(error.message));
}

onSubmit('new-phone', async ({ phone_number, name }) => {
  const phone = await call('POST', '/phones', name ? { phone_number, name } : { phone_number });
  await refresh();
  await choose(phone.phone_number);
});
onSubmit('new-chat', async ({ to }) => openChat(to.startsWith('+') ? to : `+${to}`));
onSubmit('compose', ({ text }) => call('POST', path(state.current, ':send'), { to: state.chat, text }));
onSubmit('scan', async ({ qr }) => {
  const isCode = /^[0-9A-Z]{4}-?[0-9A-Z]{4}$/i.test(qr.trim());
  const { jid } = isCode
    ? await call('POST', path(state.current, ':enter-code'), { code: qr.trim() })
    : await call('POST', path(state.current, ':scan'), { qr });
  notify(`Linked ${jid}`);
  await refresh();
});
$('back').onclick = () => {
  state.chat = undefined;
  draw();
};
$('auto-delivery').onchange = ({ target }) => change({ auto_delivery_receipt: target.checked });
$('auto-read').onchange = ({ target }) => change({ auto_read: target.checked });
$('auto-reply').onchange = ({ target }) =>
  change({ auto_reply: { text: target.value || null, delay_ms: 500 } });

await refresh();
if (state.phones.length > 0) await choose(state.phones[0].phone_number);
setInterval(() => refresh().catch(() => undefined), REFRESH_MS);
