// Preload that makes Baileys trust the simulator's certificates instead of WhatsApp's:
//   NODE_OPTIONS="--import /abs/path/trust-anchor.mjs"  [PONTE_SIMULATOR_ROOT_KEY=<hex>]  node program.js
// It changes the Baileys copy that the program itself will load, and does nothing where there is none.
import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const DEFAULT_ROOT_KEY = '1b202b274be96dd20529b5e0f6bdc2ab7fa60f10f3403757f507675755a51e5e';

const defaults = findDefaults();
if (defaults) {
  const { WA_CERT_DETAILS } = await import(defaults);
  const key = Buffer.from(process.env.PONTE_SIMULATOR_ROOT_KEY || DEFAULT_ROOT_KEY, 'hex');
  if (key.length !== 32) throw new Error('PONTE_SIMULATOR_ROOT_KEY must be 64 hexadecimal digits');
  WA_CERT_DETAILS.PUBLIC_KEY = key;
}

/** Address of the module that holds the trusted key, seen from the main script, else from the current folder. */
function findDefaults() {
  const places = [mainScript(), join(process.cwd(), 'noop.js')];
  for (const place of places) {
    if (!place) continue;
    try {
      const path = createRequire(place).resolve('@whiskeysockets/baileys/lib/Defaults/index.js');
      return pathToFileURL(path).href;
    } catch {
      // Not installed as seen from here.
    }
  }
  return undefined;
}

/** The main script, with links resolved as Node resolves them when it loads modules from there. */
function mainScript() {
  try {
    return process.argv[1] && realpathSync(process.argv[1]);
  } catch {
    return undefined;
  }
}
