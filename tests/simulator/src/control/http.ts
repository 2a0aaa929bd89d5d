import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Simulator } from '../simulator.ts';
import { ApiError } from './errors.ts';
import { callRoutes } from './routes-calls.ts';
import { channelRoutes } from './routes-channels.ts';
import { deviceRoutes } from './routes-devices.ts';
import { faultRoutes } from './routes-faults.ts';
import { groupMessageRoutes } from './routes-group-messages.ts';
import { groupRoutes } from './routes-groups.ts';
import { historyRoutes } from './routes-history.ts';
import { pageRoutes } from './routes-page.ts';
import { phoneRoutes } from './routes-phones.ts';
import { serverRoutes } from './routes-server.ts';
import { standingRoutes } from './routes-standing.ts';

const MAX_BODY_BYTES = 1024 * 1024;

/** A request as the routes see it. */
export interface Call {
  simulator: Simulator;
  /** Groups of the route's pattern, decoded. */
  params: string[];
  query: URLSearchParams;
  /** JSON object of the body; empty when there is none. */
  body: Record<string, unknown>;
  response: ServerResponse;
}

/** Method, pattern of the whole path, and what answers it. A route that answers itself returns undefined. */
export interface Route {
  method: string;
  path: RegExp;
  run: (call: Call) => unknown;
}

const ROUTES: Route[] = [
  ...callRoutes,
  ...channelRoutes,
  ...phoneRoutes,
  ...standingRoutes,
  ...historyRoutes,
  ...deviceRoutes,
  ...faultRoutes,
  ...groupRoutes,
  ...groupMessageRoutes,
  ...serverRoutes,
  ...pageRoutes,
];

/** Longer than clients keep a connection they do not use: who closes first must not be the server. */
const KEEP_ALIVE_MS = 75_000;

/** The control API and the page. */
export function createControlServer(simulator: Simulator): Server {
  const server = createServer((request, response) => {
    void answer(simulator, request, response).catch((error) => sendError(response, error));
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  return server;
}

async function answer(simulator: Simulator, request: IncomingMessage, response: ServerResponse) {
  const url = new URL(request.url ?? '/', 'http://simulator');
  const matches = ROUTES.flatMap((route) => {
    const match = route.path.exec(url.pathname);
    return match ? [{ route, match }] : [];
  });
  if (matches.length === 0) throw new ApiError(404, 'NOT_FOUND', 'There is nothing at this path.');
  const found = matches.find(({ route }) => route.method === request.method);
  if (!found) throw new ApiError(405, 'METHOD_NOT_ALLOWED', 'This path does not take this method.');
  const body = await readBody(request);
  const params = found.match.slice(1).map((group) => decodeURIComponent(group ?? ''));
  const result = await found.route.run({ simulator, params, query: url.searchParams, body, response });
  if (result !== undefined) sendJson(response, 200, result);
}

async function readBody(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) throw new ApiError(413, 'BODY_TOO_LARGE', 'The body is over 1 MiB.');
    chunks.push(chunk);
  }
  if (length === 0) return {};
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.concat(chunks).toString());
  } catch {
    throw new ApiError(400, 'INVALID_JSON', 'The body is not JSON.');
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new ApiError(400, 'INVALID_JSON', 'The body must be a JSON object.');
  }
  return parsed as Record<string, unknown>;
}

function sendJson(response: ServerResponse, status: number, content: unknown): void {
  if (response.destroyed) return;
  const text = JSON.stringify(content);
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}

function sendError(response: ServerResponse, error: unknown): void {
  const known = error instanceof ApiError ? error : new ApiError(500, 'INTERNAL', String(error));
  if (response.headersSent) response.destroy();
  else sendJson(response, known.status, { error: { code: known.code, detail: known.message } });
}
