/** A window that can do nothing but show the app's own pages. */
import { fileURLToPath } from 'node:url';
import { BrowserWindow } from 'electron';
import { SCHEME } from './pages.mjs';

export function openWindow() {
  const window = new BrowserWindow({
    width: 1100,
    height: 800,
    webPreferences: {
      preload: fileURLToPath(new URL('preload.cjs', import.meta.url)),
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      spellcheck: false, // its dictionaries come from the network
    },
  });
  const { webContents } = window;
  webContents.setWindowOpenHandler(() => ({ action: 'deny' }));
  webContents.on('will-navigate', (event) => {
    if (!event.url.startsWith(`${SCHEME}://`)) event.preventDefault();
  });
  webContents.session.setPermissionRequestHandler((_contents, _permission, answer) => answer(false));
  return window;
}
