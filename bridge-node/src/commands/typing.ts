import type { CloseSignal } from '../close-signal.js';

/** What showing that somebody types needs of a Baileys socket. */
export interface TypingSocket {
  sendPresenceUpdate(type: 'composing', jid: string): Promise<void>;
}

/** Longer than that nobody believes. */
const LONGEST_TYPING_MS = 20_000;

/**
 * Shows typing in a chat for so long; the message that follows ends it. Nobody is told to wait for a
 * typing that could not be shown, but the time passes all the same: others count on it.
 * Rejects with SessionClosedError when the session ends first.
 */
export async function showTyping(
  sock: TypingSocket,
  chatJid: string,
  typingMs: number,
  closeSignal: CloseSignal,
): Promise<void> {
  if (typingMs <= 0) return;
  sock.sendPresenceUpdate('composing', chatJid).catch(() => undefined);
  let timer: NodeJS.Timeout | undefined;
  const passed = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, Math.min(typingMs, LONGEST_TYPING_MS));
  });
  try {
    await closeSignal.race(passed);
  } finally {
    clearTimeout(timer);
  }
}
