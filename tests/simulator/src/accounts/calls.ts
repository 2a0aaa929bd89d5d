import type { BinaryNode } from '@whiskeysockets/baileys';
import { node } from '../wire/nodes.ts';
import type { Account } from './account.ts';

/** What the server tells the called number of a call, by the tags of its stanzas. */
export const CALL_STEPS = ['offer', 'preaccept', 'accept', 'reject', 'terminate'] as const;
export type CallStep = (typeof CALL_STEPS)[number];

export interface CallDetails {
  id: string;
  step: CallStep;
  video: boolean;
  addressing: 'pn' | 'lid';
  /** Of a terminate: `timeout` where it rang for too long. */
  reason?: string | undefined;
}

let stanzas = 0;

/** Tells all devices of a number of one step of a call to it; it stays queued until they acknowledge it. */
export function tellOfCall(caller: Account, called: Account, details: CallDetails): void {
  stanzas += 1;
  const from = details.addressing === 'lid' ? caller.lidJid() : caller.jid();
  const now = Date.now();
  const attrs = { id: `call-${now}-${stanzas}`, from, t: String(Math.floor(now / 1000)) };
  const stanza = node('call', attrs, [info(caller, from, details)]);
  for (const device of called.devices.values()) device.deliver(stanza, now);
}

function info(
  caller: Account,
  from: string,
  { id, step, video, addressing, reason }: CallDetails,
): BinaryNode {
  const attrs: Record<string, string> = { 'call-id': id, 'call-creator': from };
  if (addressing === 'lid') attrs.caller_pn = caller.jid();
  if (reason) attrs.reason = reason;
  const media = [node('audio', { enc: 'opus', rate: '16000' })];
  if (video) media.push(node('video', { dec: 'H264' }));
  return node(step, attrs, step === 'offer' ? media : []);
}
