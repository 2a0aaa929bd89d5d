import { readFileSync } from 'node:fs';
import type { Call, Route } from './http.ts';

/** The page on which a person uses the virtual phones. */
const FILES = [
  { path: /^\/$/, file: 'index.html', type: 'text/html' },
  { path: /^\/app\.js$/, file: 'app.js', type: 'text/javascript' },
  { path: /^\/style\.css$/, file: 'style.css', type: 'text/css' },
];

export const pageRoutes: Route[] = FILES.map(({ path, file, type }) => ({
  method: 'GET',
  path,
  run: ({ response }: Call): undefined => {
    const content = readFileSync(new URL(`../page/${file}`, import.meta.url));
    response.writeHead(200, { 'content-type': `${type}; charset=utf-8`, 'cache-control': 'no-store' });
    response.end(content);
    return undefined;
  },
}));
