import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import type { Simulator } from '../simulator.ts';

/** Trusted by clients through NODE_EXTRA_CA_CERTS; its key is no secret, it is good for the loopback alone. */
export const CERTIFICATE_FILE = fileURLToPath(new URL('../../tls/server.pem', import.meta.url));
const KEY_FILE = fileURLToPath(new URL('../../tls/server.key', import.meta.url));

const UPLOAD_PATH = /^\/mms\/(image|video|audio|document)\/([A-Za-z0-9_-]{43})$/;

/** Where pictures are, by the number of their group. */
export const PICTURES_PATH = '/pictures/';

/** What WhatsApp's media hosts do: take encrypted files by POST and give them by GET. */
export function createMediaServer(simulator: Simulator): Server {
  const tls = { cert: readFileSync(CERTIFICATE_FILE), key: readFileSync(KEY_FILE) };
  return createServer(tls, (request, response) => {
    answer(simulator, request, response).catch(() => response.destroy());
  });
}

async function answer(
  simulator: Simulator,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'https://media');
  const upload = UPLOAD_PATH.exec(url.pathname);
  if (request.method === 'POST' && upload) return takeFile(simulator, request, response, upload[2] ?? '');
  if (request.method === 'GET' && url.pathname.startsWith(PICTURES_PATH)) {
    givePicture(simulator, url.pathname.slice(PICTURES_PATH.length), response);
    return;
  }
  if (request.method === 'GET') return giveFile(simulator, url.pathname, response);
  response.writeHead(404).end();
}

/** The name of an upload is the hash of its bytes. */
async function takeFile(
  simulator: Simulator,
  request: IncomingMessage,
  response: ServerResponse,
  token: string,
): Promise<void> {
  const fault = simulator.faults.take('media_upload');
  if (fault) {
    request.resume();
    response.writeHead(fault.code ?? 500).end();
    return;
  }
  const hash = createHash('sha256');
  const hashing = new Transform({
    transform(chunk, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  request.pipe(hashing);
  request.once('aborted', () => hashing.destroy(new Error('the upload was cut')));
  const path = await simulator.media.add(hashing);
  const isWhole = hash.digest('base64url') === token;
  const body = isWhole ? { url: simulator.mediaUrl + path, direct_path: path } : { error: 'bad hash' };
  simulator.stats.uploads += 1;
  response.writeHead(isWhole ? 200 : 400, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function givePicture(simulator: Simulator, groupId: string, response: ServerResponse): void {
  const bytes = simulator.groups.withId(groupId)?.picture?.bytes;
  if (bytes) response.writeHead(200, { 'content-type': 'image/jpeg' }).end(bytes);
  else response.writeHead(404).end();
}

async function giveFile(simulator: Simulator, path: string, response: ServerResponse): Promise<void> {
  const fault = simulator.faults.take('media_download');
  const file = fault ? undefined : simulator.media.get(path);
  if (!file) {
    response.writeHead(fault?.code ?? 404).end();
    return;
  }
  simulator.stats.downloads += 1;
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': file.size });
  await pipeline(file.handle.createReadStream({ start: 0, autoClose: false }), response);
}
