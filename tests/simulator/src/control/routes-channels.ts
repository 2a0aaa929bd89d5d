import { generateMessageIDV2, proto } from '@whiskeysockets/baileys';
import type { Channel } from '../accounts/channels.ts';
import { ApiError } from './errors.ts';
import type { Call, Route } from './http.ts';
import { accountOf, readOptionalText, readText } from './input.ts';

/** Channels, and what their owners post. */
export const channelRoutes: Route[] = [
  { method: 'POST', path: /^\/channels$/, run: create },
  { method: 'GET', path: /^\/channels\/([^/:]+)$/, run: (call) => view(channelOf(call)) },
  { method: 'POST', path: /^\/channels\/([^/:]+):post$/, run: post },
];

function create(call: Call) {
  const { body, simulator } = call;
  const owner = accountOf(call, body.owner, 'owner');
  const description = readOptionalText(body, 'description');
  return view(simulator.channels.create(owner, readText(body, 'name', 100), description));
}

function post(call: Call) {
  const channel = channelOf(call);
  const id = generateMessageIDV2(channel.owner.jid());
  const message = { extendedTextMessage: { text: readText(call.body, 'text') } };
  channel.post(id, proto.Message.encode(message).finish());
  return { id };
}

function channelOf({ simulator, params }: Call): Channel {
  const channel = simulator.channels.at(params[0]);
  if (!channel) throw new ApiError(404, 'CHANNEL_NOT_FOUND', 'There is no channel with this address.');
  return channel;
}

function view({ jid, invite, name, description, owner, followers, posts }: Channel) {
  return {
    jid,
    invite,
    name,
    description,
    owner: owner.number,
    followers: [...followers].map(({ number }) => number),
    posts: posts.after(0),
  };
}
