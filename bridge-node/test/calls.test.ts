import type { BinaryNode } from '@whiskeysockets/baileys';
import { describe, expect, it } from 'vitest';
import { readCall } from '../src/events/calls.js';
import { CallStep } from '../src/generated/ponte/bridge/v1/call.js';

const ME = { id: '5511900000001:3@s.whatsapp.net', lid: '95511900000001:3@lid' };
const CALLER = '5511987654321@s.whatsapp.net';

function call(tag: string, attrs: Record<string, string> = {}, content: BinaryNode[] = []): BinaryNode {
  const info = { tag, attrs: { 'call-id': 'A1', 'call-creator': CALLER, ...attrs }, content };
  return { tag: 'call', attrs: { id: '1', from: CALLER, t: '1795000000' }, content: [info] };
}

describe('readCall', () => {
  it('reads who calls, whether by video, and when', () => {
    const stanza = call('offer', { 'call-creator': '95511987654321:2@lid', caller_pn: CALLER }, [
      { tag: 'audio', attrs: {} },
      { tag: 'video', attrs: {} },
    ]);
    expect(readCall({ ...stanza, attrs: { ...stanza.attrs, offline: '1' } }, ME)).toEqual({
      waCallId: 'A1',
      callerPnJid: CALLER,
      callerLidJid: '95511987654321@lid',
      groupJid: '',
      video: true,
      step: CallStep.CALL_STEP_OFFERED,
      atMs: 1_795_000_000_000,
      offline: true,
    });
  });

  it.each([
    ['offer_notice', {}, CallStep.CALL_STEP_OFFERED],
    ['accept', {}, CallStep.CALL_STEP_ACCEPTED],
    ['reject', {}, CallStep.CALL_STEP_REJECTED],
    ['terminate', {}, CallStep.CALL_STEP_TERMINATED],
    ['terminate', { reason: 'timeout' }, CallStep.CALL_STEP_TIMED_OUT],
  ])('reads %s %o as a step', (tag, attrs, step) => {
    expect(readCall(call(tag, attrs), ME)?.step).toBe(step);
  });

  it.each(['preaccept', 'transport', 'relaylatency'])('passes over %s', (tag) => {
    expect(readCall(call(tag), ME)).toBeUndefined();
  });

  it('passes over calls that this number makes, and what has no id', () => {
    expect(readCall(call('offer', { 'call-creator': ME.lid }), ME)).toBeUndefined();
    expect(readCall(call('offer', { 'call-creator': ME.id }), ME)).toBeUndefined();
    expect(readCall(call('offer', { 'call-id': '' }), ME)).toBeUndefined();
    expect(readCall({ tag: 'call', attrs: {} }, ME)).toBeUndefined();
  });
});
